#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <faiss/impl/io.h>

/** Writes into memory of exactly the right size. */
struct ArrayWriter : faiss::IOWriter {
  ArrayWriter(uint8_t* to, uint64_t room) : to(to), room(room) {}
  size_t operator()(const void* from, size_t size, size_t nitems) override;
  uint8_t* to;
  uint64_t room;
};

/** Writes to a new file. A refusal of the disk is a CodedError whose code is the errno's name
 * (ENOSPC, EACCES, ...). */
class FileWriter : public faiss::IOWriter {
 public:
  explicit FileWriter(const std::string& file);
  ~FileWriter() override;
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  size_t operator()(const void* from, size_t size, size_t nitems) override;
  /** Returns the file's size once the disk has it all. */
  uint64_t Finish();

 private:
  void Flush();
  void Put(const char* from, size_t n);

  int descriptor_;
  std::vector<char> buffer_;
  uint64_t written_ = 0;
};
