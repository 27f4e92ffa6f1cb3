// The same Faiss called from C++: one query at a time, one thread. bench/search.mjs drives it over
// pipes, a block of queries at a time, in turn with the engines that run in Node.
//
// usage: search-native INDEX QUERIES K    (QUERIES: raw rows, float32 for a real index, packed bits
// for a binary one) reads lines "FIRST COUNT", answers each on one line: the process's CPU
// nanoseconds, then COUNT pairs "NANOSECONDS:BEST_ROW".
#include <chrono>
#include <cstdio>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <omp.h>

#include <faiss/Index.h>
#include <faiss/IndexBinary.h>
#include <faiss/index_io.h>

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

long long CpuNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

template <class IndexT, class Component, class Distance>
int Serve(const IndexT& index, const std::vector<char>& queries, size_t row_bytes, long k) {
  const auto* data = reinterpret_cast<const Component*>(queries.data());
  const size_t width = row_bytes / sizeof(Component);
  std::vector<Distance> distances(k);
  std::vector<int64_t> labels(k);
  size_t first, count;
  std::printf("ready %zu\n", queries.size() / row_bytes);
  std::fflush(stdout);
  while (std::scanf("%zu %zu", &first, &count) == 2) {
    std::string line;
    const auto cpu = CpuNanoseconds();
    for (size_t i = first; i < first + count; i++) {
      const auto start = std::chrono::steady_clock::now();
      index.search(1, data + i * width, k, distances.data(), labels.data());
      const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                          std::chrono::steady_clock::now() - start)
                          .count();
      line += std::to_string(ns) + ":" + std::to_string(labels[0]) + " ";
    }
    std::printf("%lld %s\n", CpuNanoseconds() - cpu, line.c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: search-native INDEX QUERIES K\n");
    return 2;
  }
  omp_set_num_threads(1);
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<char> queries((std::istreambuf_iterator<char>(file)),
                                  std::istreambuf_iterator<char>());
  const long k = std::stol(argv[3]);
  char fourcc[4] = {};
  std::ifstream(argv[1], std::ios::binary).read(fourcc, 4);
  if (fourcc[0] == 'I' && fourcc[1] == 'B') {
    std::unique_ptr<faiss::IndexBinary> index(faiss::read_index_binary(argv[1]));
    return Serve<faiss::IndexBinary, uint8_t, int32_t>(*index, queries, index->d / 8, k);
  }
  std::unique_ptr<faiss::Index> index(faiss::read_index(argv[1]));
  return Serve<faiss::Index, float, float>(*index, queries, index->d * sizeof(float), k);
}
