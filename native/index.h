#pragma once
#include <cstdint>
#include <memory>
#include <map>
#include <stdexcept>
#include <string>

#include <faiss/Index.h>
#include <faiss/IndexBinary.h>
#include <faiss/impl/io.h>

/** A failure with the code that JavaScript sees. */
struct CodedError : std::runtime_error {
  CodedError(const char* code, const std::string& message)
      : std::runtime_error(message), code(code) {}
  const char* code;
};

enum class Metric { kInnerProduct, kL2, kHamming, kOther };

/** What is inside any id maps, transforms and refiners. */
enum class Core { kFlat, kHnsw, kIvf, kOther };

/**
 * One Faiss index, real or binary, behind one interface. Knows nothing of JavaScript, and nothing
 * of threads beyond Faiss's own: the caller sees to it that writers are alone.
 */
class FaissIndex {
 public:
  /** From a factory string; a leading "B" after any "IDMap," or "IDMap2," makes a binary index. */
  static std::unique_ptr<FaissIndex> Create(const std::string& factory, int dim, Metric metric);
  /** Reads what Serialize or Faiss wrote. The data must have been checked (see check.h). */
  static std::unique_ptr<FaissIndex> Read(faiss::IOReader& reader);

  bool binary() const { return binary_ != nullptr; }
  Metric metric() const;
  /** Floats a vector or bits a code. */
  int dim() const;
  int64_t size() const;
  bool trained() const;
  Core core() const;
  bool id_mapped() const;
  int64_t lists() const;
  int64_t LargestId() const;
  /** Bytes that one row takes in the caller's arrays. */
  size_t row_bytes() const;
  std::map<std::string, double> Parameters() const;

  void Train(int64_t n, const void* rows);
  /** `ids` may be null: the rows are then numbered on from the present size. Ids for an index that
   * keeps none put an id map around it. */
  void Add(int64_t n, const void* rows, const double* ids);
  /** The ids of what is left stay as they are: an index that would renumber its rows gets an id map
   * around it first. */
  int64_t Remove(int64_t n, const double* ids);
  /**
   * Fills n x k ids and scores. Both arrays are the caller's JavaScript arrays: Faiss writes its
   * 64-bit ids and 32-bit distances into them, and they are then turned into doubles and floats in
   * place.
   */
  void Search(int64_t n, const void* queries, int64_t k, double* ids, float* scores) const;
  void Reconstruct(int64_t n, const double* ids, void* rows) const;
  /** Throws for a name that this index does not have, or a value below 1. */
  void CheckParameter(const std::string& name, double value) const;
  void Set(const std::string& name, double value);
  void Serialize(faiss::IOWriter& writer) const;
  uint64_t Bytes() const;

 private:
  FaissIndex() = default;
  void KeepIds();

  std::unique_ptr<faiss::Index> real_;
  std::unique_ptr<faiss::IndexBinary> binary_;
};

/** Threads for OpenMP and BLAS; OpenMP keeps its number for each thread, so that each call must
 * apply it on its own. */
void SetThreads(int threads);
void ApplyThreads();
int Threads();
