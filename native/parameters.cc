#include "parameters.h"

#include <limits>

#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexHNSW.h>

#include "core.h"

namespace {

// The largest efSearch and efConstruction: Faiss allocates that much for each query in a parallel
// region, where running out of memory ends the process.
constexpr double kLargestEf = 1 << 20;

template <class T>
Parameter MakeParameter(const std::string& name, double largest, T* field) {
  return {name, largest, [field] { return static_cast<double>(*field); },
          [field](double v) { *field = static_cast<T>(v); }};
}

void AddHnsw(std::vector<Parameter>& list, const char* prefix, faiss::HNSW& hnsw) {
  list.push_back(MakeParameter(std::string(prefix) + "efSearch", kLargestEf, &hnsw.efSearch));
  list.push_back(
      MakeParameter(std::string(prefix) + "efConstruction", kLargestEf, &hnsw.efConstruction));
}

}  // namespace

std::vector<Parameter> ParametersOf(faiss::Index* real, faiss::IndexBinary* binary) {
  std::vector<Parameter> list;
  const double largest_probe = std::numeric_limits<int32_t>::max();
  if (real) {
    faiss::Index* core = CoreOf(real);
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(core)) {
      list.push_back(MakeParameter("nprobe", largest_probe, &ivf->nprobe));
      if (auto* q = dynamic_cast<faiss::IndexHNSW*>(ivf->quantizer))
        AddHnsw(list, "quantizer_", q->hnsw);
    }
    if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(core)) AddHnsw(list, "", hnsw->hnsw);
  } else {
    faiss::IndexBinary* core = CoreOf(binary);
    if (auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(core)) {
      list.push_back(MakeParameter("nprobe", largest_probe, &ivf->nprobe));
      if (auto* q = dynamic_cast<faiss::IndexBinaryHNSW*>(ivf->quantizer))
        AddHnsw(list, "quantizer_", q->hnsw);
    }
    if (auto* hnsw = dynamic_cast<faiss::IndexBinaryHNSW*>(core)) AddHnsw(list, "", hnsw->hnsw);
  }
  return list;
}
