#include "index.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <unordered_map>
#include <vector>

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <faiss/invlists/InvertedLists.h>

// Present where the BLAS is OpenBLAS. Its threads are its own, not OpenMP's.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

// The largest efSearch and efConstruction: Faiss allocates that much for each query in a parallel region, where running out of memory ends the process.
constexpr double kLargestEf = 1 << 20;

/** The index inside any id map, transform and refiner. */
faiss::Index* CoreOf(faiss::Index* index) {
  for (;;) {
    if (auto* map = dynamic_cast<faiss::IndexIDMap*>(index)) index = map->index;
    else if (auto* chain = dynamic_cast<faiss::IndexPreTransform*>(index)) index = chain->index;
    else if (auto* refine = dynamic_cast<faiss::IndexRefine*>(index)) index = refine->base_index;
    else return index;
  }
}

faiss::IndexBinary* CoreOf(faiss::IndexBinary* index) {
  while (auto* map = dynamic_cast<faiss::IndexBinaryIDMap*>(index)) index = map->index;
  return index;
}

/** The names that an index answers to, each with a way to read and write it. */
struct Parameter {
  std::string name;
  double largest;
  std::function<double()> get;
  std::function<void(double)> set;
};

template <class T>
Parameter MakeParameter(const std::string& name, double largest, T* field) {
  return {name, largest, [field] { return static_cast<double>(*field); }, [field](double v) { *field = static_cast<T>(v); }};
}

void AddHnsw(std::vector<Parameter>& list, const char* prefix, faiss::HNSW& hnsw) {
  list.push_back(MakeParameter(std::string(prefix) + "efSearch", kLargestEf, &hnsw.efSearch));
  list.push_back(MakeParameter(std::string(prefix) + "efConstruction", kLargestEf, &hnsw.efConstruction));
}

std::vector<Parameter> ParametersOf(faiss::Index* real, faiss::IndexBinary* binary) {
  std::vector<Parameter> list;
  const double largest_probe = std::numeric_limits<int32_t>::max();
  if (real) {
    faiss::Index* core = CoreOf(real);
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(core)) {
      list.push_back(MakeParameter("nprobe", largest_probe, &ivf->nprobe));
      if (auto* q = dynamic_cast<faiss::IndexHNSW*>(ivf->quantizer)) AddHnsw(list, "quantizer_", q->hnsw);
    }
    if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(core)) AddHnsw(list, "", hnsw->hnsw);
  } else {
    faiss::IndexBinary* core = CoreOf(binary);
    if (auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(core)) {
      list.push_back(MakeParameter("nprobe", largest_probe, &ivf->nprobe));
      if (auto* q = dynamic_cast<faiss::IndexBinaryHNSW*>(ivf->quantizer)) AddHnsw(list, "quantizer_", q->hnsw);
    }
    if (auto* hnsw = dynamic_cast<faiss::IndexBinaryHNSW*>(core)) AddHnsw(list, "", hnsw->hnsw);
  }
  return list;
}

std::vector<int64_t> ToIds(int64_t n, const double* ids) {
  std::vector<int64_t> converted(n);
  for (int64_t i = 0; i < n; i++) {
    if (!(ids[i] >= 0 && ids[i] <= 9007199254740991.0 && std::floor(ids[i]) == ids[i])) {
      throw CodedError("faiss-argument", "id " + std::to_string(i) + " is not an integer from 0 to 2^53 - 1");
    }
    converted[i] = static_cast<int64_t>(ids[i]);
  }
  return converted;
}

/** Calls visit(list, offset, id) for every entry of the inverted lists. */
template <class Visit>
void EachEntry(const faiss::InvertedLists& lists, Visit visit) {
  for (size_t list = 0; list < lists.nlist; list++) {
    const size_t n = lists.list_size(list);
    if (n == 0) continue;
    faiss::InvertedLists::ScopedIds ids(&lists, list);
    for (size_t offset = 0; offset < n; offset++) visit(list, offset, ids[offset]);
  }
}

faiss::InvertedLists* ListsOf(faiss::Index* index) {
  auto* ivf = dynamic_cast<faiss::IndexIVF*>(CoreOf(index));
  return ivf ? ivf->invlists : nullptr;
}

faiss::InvertedLists* ListsOf(faiss::IndexBinary* index) {
  auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(CoreOf(index));
  return ivf ? ivf->invlists : nullptr;
}

template <class IndexT>
int64_t LargestIdOf(IndexT* index) {
  int64_t largest = -1;
  if (auto* map = dynamic_cast<faiss::IndexIDMapTemplate<IndexT>*>(index)) {
    for (const auto id : map->id_map) largest = std::max<int64_t>(largest, id);
  } else if (const auto* lists = ListsOf(index)) {
    EachEntry(*lists, [&](size_t, size_t, int64_t id) { largest = std::max(largest, id); });
  } else {
    largest = index->ntotal - 1;
  }
  return largest;
}

/** Rows by position, from an index without id map. */
template <class IndexT, class Component>
void ReconstructPositions(IndexT* index, const std::unordered_multimap<int64_t, int64_t>& wanted, size_t width, Component* rows) {
  if (const auto* lists = ListsOf(index)) {
    auto* ivf = [&] {
      if constexpr (std::is_same_v<IndexT, faiss::Index>) return dynamic_cast<faiss::IndexIVF*>(index);
      else return dynamic_cast<faiss::IndexBinaryIVF*>(index);
    }();
    if (!ivf) throw CodedError("faiss-argument", "this index transforms its vectors and cannot give them back");
    EachEntry(*lists, [&](size_t list, size_t offset, int64_t id) {
      const auto range = wanted.equal_range(id);
      for (auto it = range.first; it != range.second; ++it) ivf->reconstruct_from_offset(list, offset, rows + it->second * width);
    });
    return;
  }
  for (const auto& [position, target] : wanted) index->reconstruct(position, rows + target * width);
}

template <class IndexT, class Component>
void ReconstructFrom(IndexT* index, const std::vector<int64_t>& ids, size_t width, Component* rows) {
  std::unordered_multimap<int64_t, int64_t> wanted; // id or position -> place in the result
  for (size_t i = 0; i < ids.size(); i++) wanted.emplace(ids[i], i);
  std::vector<bool> found(ids.size(), false);
  const auto mark = [&](int64_t id) {
    const auto range = wanted.equal_range(id);
    for (auto it = range.first; it != range.second; ++it) found[it->second] = true;
    return range;
  };
  auto* map = dynamic_cast<faiss::IndexIDMapTemplate<IndexT>*>(index);
  std::unordered_multimap<int64_t, int64_t> positions;
  if (map) {
    for (size_t at = 0; at < map->id_map.size(); at++) {
      const auto range = mark(map->id_map[at]);
      for (auto it = range.first; it != range.second; ++it) positions.emplace(at, it->second);
    }
  } else if (const auto* lists = ListsOf(index)) {
    EachEntry(*lists, [&](size_t, size_t, int64_t id) { mark(id); });
  } else {
    for (const auto id : ids) if (id < index->ntotal) mark(id);
  }
  for (size_t i = 0; i < ids.size(); i++) {
    if (!found[i]) throw CodedError("faiss-argument", "id " + std::to_string(ids[i]) + " is not in the index");
  }
  ReconstructPositions(map ? map->index : index, map ? positions : wanted, width, rows);
}

struct MappedSelector : faiss::IDSelector {
  MappedSelector(const std::vector<int64_t>& id_map, const faiss::IDSelector& selector) : id_map(id_map), selector(selector) {}
  bool is_member(int64_t position) const override { return selector.is_member(id_map[position]); }
  const std::vector<int64_t>& id_map;
  const faiss::IDSelector& selector;
};

/**
 * Removal through an id map. Faiss's own (IndexIDMapTemplate::remove_ids) is right only where the inner index renumbers what is left, as
 * Flat does. An IVF keeps the positions that it was given, so that after Faiss's removal they point at the wrong ids, or past the end of the
 * map; and an inner index whose count disagrees ends the process. Here the positions in the inverted lists are renumbered, too.
 */
template <class IndexT>
int64_t RemoveThroughMap(faiss::IndexIDMapTemplate<IndexT>* map, const faiss::IDSelector& selector) {
  const std::vector<int64_t> old_ids(map->id_map.begin(), map->id_map.end());
  const int64_t removed = map->index->remove_ids(MappedSelector(old_ids, selector));
  std::vector<int64_t> new_position(old_ids.size(), -1);
  int64_t kept = 0;
  for (size_t i = 0; i < old_ids.size(); i++) {
    if (selector.is_member(old_ids[i])) continue;
    map->id_map[kept] = old_ids[i];
    new_position[i] = kept++;
  }
  map->id_map.resize(kept);
  map->ntotal = kept;
  if (auto* lists = ListsOf(map->index)) {
    std::vector<int64_t> ids;
    for (size_t list = 0; list < lists->nlist; list++) {
      const size_t n = lists->list_size(list);
      if (n == 0) continue;
      ids.resize(n);
      {
        faiss::InvertedLists::ScopedIds old(lists, list);
        for (size_t i = 0; i < n; i++) ids[i] = new_position[old[i]];
      }
      faiss::InvertedLists::ScopedCodes codes(lists, list);
      lists->update_entries(list, 0, n, ids.data(), codes.get());
    }
  }
  if (auto* map2 = dynamic_cast<faiss::IndexIDMap2Template<IndexT>*>(map)) map2->construct_rev_map();
  if (map->index->ntotal != kept) throw CodedError("faiss-error", "the index under the id map lost count of its vectors");
  return removed;
}

template <class IndexT>
int64_t RemoveFrom(IndexT* index, const std::vector<int64_t>& ids) {
  const faiss::IDSelectorBatch selector(ids.size(), ids.data());
  if (auto* map = dynamic_cast<faiss::IndexIDMapTemplate<IndexT>*>(index)) return RemoveThroughMap(map, selector);
  return index->remove_ids(selector);
}

/** The index inside an id map that numbers its rows as they stand. */
template <class IndexT>
std::unique_ptr<IndexT> Mapped(std::unique_ptr<IndexT> index) {
  auto map = std::make_unique<faiss::IndexIDMap2Template<IndexT>>();
  // Its constructor takes empty indexes only.
  map->d = index->d;
  map->metric_type = index->metric_type;
  map->is_trained = index->is_trained;
  map->ntotal = index->ntotal;
  if constexpr (std::is_same_v<IndexT, faiss::IndexBinary>) map->code_size = index->code_size;
  map->id_map.resize(index->ntotal);
  for (size_t i = 0; i < map->id_map.size(); i++) map->id_map[i] = i;
  map->construct_rev_map();
  map->index = index.release();
  map->own_fields = true;
  return map;
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

std::atomic<int> chosen_threads{0};

}  // namespace

std::unique_ptr<FaissIndex> FaissIndex::Create(const std::string& factory, int dim, Metric metric) {
  std::unique_ptr<FaissIndex> made(new FaissIndex());
  if (metric != Metric::kHamming) {
    made->real_.reset(faiss::index_factory(dim, factory.c_str(), ToFaiss(metric)));
    // The caller is told of too few training points by the layer above; Faiss would print to standard error.
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(CoreOf(made->real_.get()))) ivf->cp.min_points_per_centroid = 1;
    return made;
  }
  // Older factories of binary indexes know no id maps.
  const bool map2 = factory.rfind("IDMap2,", 0) == 0;
  const bool map = factory.rfind("IDMap,", 0) == 0;
  const std::string inner = factory.substr(map2 ? 7 : map ? 6 : 0);
  std::unique_ptr<faiss::IndexBinary> index(faiss::index_binary_factory(dim, inner.c_str()));
  if (auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(index.get())) ivf->cp.min_points_per_centroid = 1;
  if (map2 || map) {
    auto* wrapped = map2 ? new faiss::IndexBinaryIDMap2(index.get()) : new faiss::IndexBinaryIDMap(index.get());
    wrapped->own_fields = true;
    wrapped->code_size = wrapped->index->code_size;
    index.release();
    index.reset(wrapped);
  }
  made->binary_ = std::move(index);
  return made;
}

std::unique_ptr<FaissIndex> FaissIndex::Read(faiss::IOReader& reader) {
  // The four letters tell real from binary; the reader that Faiss gets starts at the first of them again.
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
  if (replay.letters[0] == 'I' && replay.letters[1] == 'B') made->binary_.reset(faiss::read_index_binary(&replay));
  else made->real_.reset(faiss::read_index(&replay));
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
size_t FaissIndex::row_bytes() const { return binary() ? binary_->d / 8 : real_->d * sizeof(float); }

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
  return binary() ? dynamic_cast<faiss::IndexBinaryIDMap*>(binary_.get()) != nullptr : dynamic_cast<faiss::IndexIDMap*>(real_.get()) != nullptr;
}

int64_t FaissIndex::lists() const {
  const auto* lists = binary() ? ListsOf(binary_.get()) : ListsOf(real_.get());
  return lists ? lists->nlist : 0;
}

int64_t FaissIndex::LargestId() const { return binary() ? LargestIdOf(binary_.get()) : LargestIdOf(real_.get()); }

std::map<std::string, double> FaissIndex::Parameters() const {
  std::map<std::string, double> values;
  for (const auto& p : ParametersOf(real_.get(), binary_.get())) values[p.name] = p.get();
  return values;
}

void FaissIndex::Train(int64_t n, const void* rows) {
  if (binary()) binary_->train(n, static_cast<const uint8_t*>(rows));
  else real_->train(n, static_cast<const float*>(rows));
}

void FaissIndex::KeepIds() {
  if (id_mapped() || core() == Core::kIvf) return;
  if (binary()) binary_ = Mapped(std::move(binary_));
  else real_ = Mapped(std::move(real_));
}

void FaissIndex::Add(int64_t n, const void* rows, const double* ids) {
  if (n == 0) return;
  if (!ids) {
    if (binary()) binary_->add(n, static_cast<const uint8_t*>(rows));
    else real_->add(n, static_cast<const float*>(rows));
    return;
  }
  const auto converted = ToIds(n, ids);
  KeepIds();
  if (binary()) binary_->add_with_ids(n, static_cast<const uint8_t*>(rows), converted.data());
  else real_->add_with_ids(n, static_cast<const float*>(rows), converted.data());
}

int64_t FaissIndex::Remove(int64_t n, const double* ids) {
  const auto converted = ToIds(n, ids);
  if (n == 0) return 0;
  KeepIds();
  return binary() ? RemoveFrom(binary_.get(), converted) : RemoveFrom(real_.get(), converted);
}

void FaissIndex::Search(int64_t n, const void* queries, int64_t k, double* ids, float* scores) const {
  static_assert(sizeof(int64_t) == sizeof(double) && sizeof(int32_t) == sizeof(float), "ids and scores are converted in place");
  // Faiss would allocate for k neighbours even where there are fewer vectors.
  const int64_t reach = std::min<int64_t>(k, size());
  auto* labels = reinterpret_cast<int64_t*>(ids);
  if (reach > 0 && n > 0) {
    if (binary()) binary_->search(n, static_cast<const uint8_t*>(queries), reach, reinterpret_cast<int32_t*>(scores), labels);
    else real_->search(n, static_cast<const float*>(queries), reach, scores, labels);
  }
  const float nothing = metric() == Metric::kInnerProduct ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  for (int64_t q = n - 1; q >= 0; q--) { // from the last, because rows of `reach` spread out into rows of k
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
  if (binary()) ReconstructFrom(binary_.get(), converted, row_bytes(), static_cast<uint8_t*>(rows));
  else ReconstructFrom(real_.get(), converted, real_->d, static_cast<float*>(rows));
}

void FaissIndex::CheckParameter(const std::string& name, double value) const {
  std::string valid;
  for (const auto& p : ParametersOf(real_.get(), binary_.get())) {
    if (p.name == name) {
      if (!(value >= 1 && value <= p.largest && std::floor(value) == value)) {
        throw CodedError("faiss-argument", name + " must be an integer from 1 to " + std::to_string(static_cast<int64_t>(p.largest)));
      }
      return;
    }
    valid += (valid.empty() ? "" : ", ") + p.name;
  }
  throw CodedError("faiss-argument", "no parameter " + name + "; this index has " + (valid.empty() ? "none" : valid));
}

void FaissIndex::Set(const std::string& name, double value) {
  for (const auto& p : ParametersOf(real_.get(), binary_.get())) if (p.name == name) p.set(value);
}

void FaissIndex::Serialize(faiss::IOWriter& writer) const {
  if (binary()) faiss::write_index_binary(binary_.get(), &writer);
  else faiss::write_index(real_.get(), &writer);
}

uint64_t FaissIndex::Bytes() const {
  CountingWriter counter;
  Serialize(counter);
  return counter.bytes;
}

void SetThreads(int threads) {
  chosen_threads = threads;
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

int Threads() { return chosen_threads > 0 ? chosen_threads.load() : omp_get_max_threads(); }

void ApplyThreads() {
  if (chosen_threads > 0) omp_set_num_threads(chosen_threads);
}
