#include "index.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include "ids.h"
#include "parameters.h"

// Present where the BLAS is OpenBLAS. Its threads are its own, not OpenMP's.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

std::vector<int64_t> ToIds(int64_t n, const double* ids) {
  std::vector<int64_t> converted(n);
  for (int64_t i = 0; i < n; i++) {
    if (!(ids[i] >= 0 && ids[i] <= 9007199254740991.0 && std::floor(ids[i]) == ids[i])) {
      throw CodedError("faiss-argument",
                       "id " + std::to_string(i) + " is not an integer from 0 to 2^53 - 1");
    }
    converted[i] = static_cast<int64_t>(ids[i]);
  }
  return converted;
}

struct CountingWriter : faiss::IOWriter {
  size_t operator()(const void*, size_t size, size_t nitems) override {
    bytes += size * nitems;
    return nitems;
  }
  uint64_t bytes = 0;
};

faiss::MetricType ToFaiss(Metric metric) {
  return metric == Metric::kInnerProduct ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
}

// OMP_NUM_THREADS, or the processors, as OpenMP has it when the addon is loaded.
std::atomic<int> threads_in_use{omp_get_max_threads()};

}  // namespace

std::unique_ptr<FaissIndex> FaissIndex::Create(const std::string& factory, int dim, Metric metric) {
  std::unique_ptr<FaissIndex> made(new FaissIndex());
  if (metric != Metric::kHamming) {
    made->real_.reset(faiss::index_factory(dim, factory.c_str(), ToFaiss(metric)));
    // The caller is told of too few training points by the layer above; Faiss would print to
    // standard error.
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(CoreOf(made->real_.get())))
      ivf->cp.min_points_per_centroid = 1;
    return made;
  }
  // Older factories of binary indexes know no id maps.
  const bool map2 = factory.rfind("IDMap2,", 0) == 0;
  const bool map = factory.rfind("IDMap,", 0) == 0;
  const std::string inner = factory.substr(map2 ? 7 : map ? 6 : 0);
  std::unique_ptr<faiss::IndexBinary> index(faiss::index_binary_factory(dim, inner.c_str()));
  if (auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(index.get()))
    ivf->cp.min_points_per_centroid = 1;
  if (map2 || map) {
    auto* wrapped =
        map2 ? new faiss::IndexBinaryIDMap2(index.get()) : new faiss::IndexBinaryIDMap(index.get());
    wrapped->own_fields = true;
    wrapped->code_size = wrapped->index->code_size;
    index.release();
    index.reset(wrapped);
  }
  made->binary_ = std::move(index);
  return made;
}

std::unique_ptr<FaissIndex> FaissIndex::Read(faiss::IOReader& reader) {
  // The four letters tell real from binary; the reader that Faiss gets starts at the first of them
  // again.
  struct Replay : faiss::IOReader {
    explicit Replay(faiss::IOReader& rest) : rest(rest) {
      name = "index";
      if (rest(letters, 1, 4) != 4) throw CodedError("faiss-file", "shorter than four bytes");
    }
    size_t operator()(void* to, size_t size, size_t nitems) override {
      if (used) return rest(to, size, nitems);
      if (size * nitems != 4) return 0;
      used = true;
      std::memcpy(to, letters, 4);
      return nitems;
    }
    faiss::IOReader& rest;
    char letters[4];
    bool used = false;
  } replay(reader);
  std::unique_ptr<FaissIndex> made(new FaissIndex());
  if (replay.letters[0] == 'I' && replay.letters[1] == 'B')
    made->binary_.reset(faiss::read_index_binary(&replay));
  else
    made->real_.reset(faiss::read_index(&replay));
  return made;
}

Metric FaissIndex::metric() const {
  if (binary()) return Metric::kHamming;
  if (real_->metric_type == faiss::METRIC_INNER_PRODUCT) return Metric::kInnerProduct;
  return real_->metric_type == faiss::METRIC_L2 ? Metric::kL2 : Metric::kOther;
}

int FaissIndex::dim() const { return binary() ? binary_->d : real_->d; }
int64_t FaissIndex::size() const { return binary() ? binary_->ntotal : real_->ntotal; }
bool FaissIndex::trained() const { return binary() ? binary_->is_trained : real_->is_trained; }
size_t FaissIndex::row_bytes() const {
  return binary() ? binary_->d / 8 : real_->d * sizeof(float);
}

Core FaissIndex::core() const {
  if (binary()) {
    auto* core = CoreOf(binary_.get());
    if (dynamic_cast<faiss::IndexBinaryFlat*>(core)) return Core::kFlat;
    if (dynamic_cast<faiss::IndexBinaryHNSW*>(core)) return Core::kHnsw;
    return dynamic_cast<faiss::IndexBinaryIVF*>(core) ? Core::kIvf : Core::kOther;
  }
  auto* core = CoreOf(real_.get());
  if (dynamic_cast<faiss::IndexFlat*>(core)) return Core::kFlat;
  if (dynamic_cast<faiss::IndexHNSW*>(core)) return Core::kHnsw;
  return dynamic_cast<faiss::IndexIVF*>(core) ? Core::kIvf : Core::kOther;
}

bool FaissIndex::id_mapped() const {
  return binary() ? dynamic_cast<faiss::IndexBinaryIDMap*>(binary_.get()) != nullptr
                  : dynamic_cast<faiss::IndexIDMap*>(real_.get()) != nullptr;
}

int64_t FaissIndex::lists() const {
  const auto* lists = binary() ? ListsOf(binary_.get()) : ListsOf(real_.get());
  return lists ? lists->nlist : 0;
}

int64_t FaissIndex::LargestId() const {
  return binary() ? LargestIdOf(binary_.get()) : LargestIdOf(real_.get());
}

std::map<std::string, double> FaissIndex::Parameters() const {
  std::map<std::string, double> values;
  for (const auto& p : ParametersOf(real_.get(), binary_.get())) values[p.name] = p.get();
  return values;
}

void FaissIndex::Train(int64_t n, const void* rows) {
  if (binary())
    binary_->train(n, static_cast<const uint8_t*>(rows));
  else
    real_->train(n, static_cast<const float*>(rows));
}

void FaissIndex::KeepIds() {
  if (id_mapped() || core() == Core::kIvf) return;
  if (binary())
    binary_ = Mapped(std::move(binary_));
  else
    real_ = Mapped(std::move(real_));
}

void FaissIndex::Add(int64_t n, const void* rows, const double* ids) {
  if (n == 0) return;
  if (!ids) {
    if (binary())
      binary_->add(n, static_cast<const uint8_t*>(rows));
    else
      real_->add(n, static_cast<const float*>(rows));
    return;
  }
  const auto converted = ToIds(n, ids);
  KeepIds();
  if (binary())
    binary_->add_with_ids(n, static_cast<const uint8_t*>(rows), converted.data());
  else
    real_->add_with_ids(n, static_cast<const float*>(rows), converted.data());
}

int64_t FaissIndex::Remove(int64_t n, const double* ids) {
  const auto converted = ToIds(n, ids);
  if (n == 0) return 0;
  KeepIds();
  return binary() ? RemoveFrom(binary_.get(), converted) : RemoveFrom(real_.get(), converted);
}

void FaissIndex::Search(int64_t n, const void* queries, int64_t k, double* ids,
                        float* scores) const {
  static_assert(sizeof(int64_t) == sizeof(double) && sizeof(int32_t) == sizeof(float),
                "ids and scores are converted in place");
  // Faiss would allocate for k neighbours even where there are fewer vectors.
  const int64_t reach = std::min<int64_t>(k, size());
  auto* labels = reinterpret_cast<int64_t*>(ids);
  if (reach > 0 && n > 0) {
    // Faiss shares queries out among threads, never one query's rows. HNSW and BFlat start a whole
    // team even for one: on a busy machine that costs more than the search.
    omp_set_num_threads(static_cast<int>(std::min<int64_t>(Threads(), n)));
    if (binary())
      binary_->search(n, static_cast<const uint8_t*>(queries), reach,
                      reinterpret_cast<int32_t*>(scores), labels);
    else
      real_->search(n, static_cast<const float*>(queries), reach, scores, labels);
  }
  const float nothing = metric() == Metric::kInnerProduct ? -std::numeric_limits<float>::infinity()
                                                          : std::numeric_limits<float>::infinity();
  for (int64_t q = n - 1; q >= 0;
       q--) {  // from the last, because rows of `reach` spread out into rows of k
    for (int64_t i = k - 1; i >= 0; i--) {
      int64_t label = -1;
      float score = nothing;
      if (i < reach) {
        std::memcpy(&label, ids + q * reach + i, sizeof label);
        if (label >= 0 && binary()) {
          int32_t distance;
          std::memcpy(&distance, scores + q * reach + i, sizeof distance);
          score = static_cast<float>(distance);
        } else if (label >= 0) {
          score = scores[q * reach + i];
        }
      }
      const double id = static_cast<double>(label);
      std::memcpy(ids + q * k + i, &id, sizeof id);
      scores[q * k + i] = score;
    }
  }
}

void FaissIndex::Reconstruct(int64_t n, const double* ids, void* rows) const {
  const auto converted = ToIds(n, ids);
  if (binary())
    ReconstructFrom(binary_.get(), converted, row_bytes(), static_cast<uint8_t*>(rows));
  else
    ReconstructFrom(real_.get(), converted, real_->d, static_cast<float*>(rows));
}

void FaissIndex::CheckParameter(const std::string& name, double value) const {
  std::string valid;
  for (const auto& p : ParametersOf(real_.get(), binary_.get())) {
    if (p.name == name) {
      if (!(value >= 1 && value <= p.largest && std::floor(value) == value)) {
        throw CodedError("faiss-argument", name + " must be an integer from 1 to " +
                                               std::to_string(static_cast<int64_t>(p.largest)));
      }
      return;
    }
    valid += (valid.empty() ? "" : ", ") + p.name;
  }
  throw CodedError("faiss-argument",
                   "no parameter " + name + "; this index has " + (valid.empty() ? "none" : valid));
}

void FaissIndex::Set(const std::string& name, double value) {
  for (const auto& p : ParametersOf(real_.get(), binary_.get()))
    if (p.name == name) p.set(value);
}

void FaissIndex::Serialize(faiss::IOWriter& writer) const {
  if (binary())
    faiss::write_index_binary(binary_.get(), &writer);
  else
    faiss::write_index(real_.get(), &writer);
}

uint64_t FaissIndex::Bytes() const {
  CountingWriter counter;
  Serialize(counter);
  return counter.bytes;
}

void SetThreads(int threads) {
  threads_in_use = threads;
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

int Threads() { return threads_in_use; }

void ApplyThreads() { omp_set_num_threads(threads_in_use); }
