#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <faiss/impl/io.h>

/** Bytes that can be read at any place: memory, or a file. */
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  /** Reads exactly n bytes; the caller has made sure that they are there. Throws CodedError
   * "faiss-file" where the file fails. */
  virtual void Read(uint64_t offset, void* to, size_t n) = 0;
};

std::unique_ptr<ByteSource> MemoryBytes(const uint8_t* data, uint64_t size);
/** Throws CodedError "faiss-file" where the file cannot be opened. */
std::unique_ptr<ByteSource> FileBytes(const std::string& file);

/**
 * Walks a serialized index and throws CodedError "faiss-file" where anything in it contradicts
 * itself. Faiss trusts what it reads: a wrong count makes it allocate any amount, and a wrong link
 * in an HNSW graph or a wrong id in an inverted list makes a later search read outside its memory.
 * Covers flat, HNSW and IVF indexes of floats and bits, with or without id maps. Another kind is
 * refused unless `trusted` (its hash was known).
 */
void CheckIndex(ByteSource& bytes, bool trusted);

/** What Faiss reads from. */
struct SourceReader : faiss::IOReader {
  explicit SourceReader(ByteSource& bytes) : bytes(bytes) { name = "index"; }
  size_t operator()(void* to, size_t size, size_t nitems) override;
  ByteSource& bytes;
  uint64_t offset = 0;
};
