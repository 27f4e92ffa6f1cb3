#include "save.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "index.h"

namespace {

constexpr size_t kBuffer = 1 << 16;

[[noreturn]] void Refused() {
  static const std::pair<int, const char*> names[] = {
      {ENOSPC, "ENOSPC"}, {EDQUOT, "EDQUOT"}, {EACCES, "EACCES"},
      {EPERM, "EPERM"},   {EROFS, "EROFS"},   {ENOTDIR, "ENOTDIR"},
      {EISDIR, "EISDIR"}, {ENOENT, "ENOENT"}, {EEXIST, "EEXIST"}};
  const int number = errno;
  for (const auto& [known, name] : names)
    if (known == number) throw CodedError(name, std::strerror(number));
  throw CodedError("faiss-file", std::strerror(number));
}

}  // namespace

size_t ArrayWriter::operator()(const void* from, size_t size, size_t nitems) {
  const size_t n = size * nitems;
  if (n > room) throw CodedError("faiss-error", "the index changed its size while it was written");
  if (n > 0) std::memcpy(to, from, n);
  to += n;
  room -= n;
  return nitems;
}

FileWriter::FileWriter(const std::string& file)
    : descriptor_(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) Refused();
  buffer_.reserve(kBuffer);
}

FileWriter::~FileWriter() {
  if (descriptor_ >= 0) close(descriptor_);
}

size_t FileWriter::operator()(const void* from, size_t size, size_t nitems) {
  const size_t n = size * nitems;
  if (n == 0) return nitems;
  if (buffer_.size() + n > kBuffer) Flush();
  if (n >= kBuffer)
    Put(static_cast<const char*>(from), n);
  else
    buffer_.insert(buffer_.end(), static_cast<const char*>(from),
                   static_cast<const char*>(from) + n);
  return nitems;
}

uint64_t FileWriter::Finish() {
  Flush();
  if (fsync(descriptor_) != 0) Refused();
  const int closing = descriptor_;
  descriptor_ = -1;
  if (close(closing) != 0) Refused();
  return written_;
}

void FileWriter::Flush() {
  Put(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void FileWriter::Put(const char* from, size_t n) {
  while (n > 0) {
    const ssize_t put = write(descriptor_, from, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) Refused();
    from += put;
    n -= put;
    written_ += put;
  }
}
