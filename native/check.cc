#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "index.h"

namespace {

[[noreturn]] void Corrupt(const std::string& what, uint64_t offset) {
  throw CodedError("faiss-file",
                   "not a whole Faiss index: " + what + " at byte " + std::to_string(offset));
}

struct Memory : ByteSource {
  Memory(const uint8_t* data, uint64_t length) : data(data), length(length) {}
  uint64_t size() const override { return length; }
  void Read(uint64_t offset, void* to, size_t n) override { std::memcpy(to, data + offset, n); }
  const uint8_t* data;
  uint64_t length;
};

struct File : ByteSource {
  explicit File(const std::string& name) : descriptor(open(name.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status;
    if (descriptor < 0) throw CodedError("faiss-file", std::strerror(errno));
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
      close(descriptor);
      throw CodedError("faiss-file", "not a file");
    }
    length = status.st_size;
  }
  ~File() override { close(descriptor); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  uint64_t size() const override { return length; }
  void Read(uint64_t offset, void* to, size_t n) override {
    for (auto* at = static_cast<char*>(to); n > 0;) {
      const ssize_t got = pread(descriptor, at, n, offset);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        throw CodedError("faiss-file", got == 0 ? "the file became shorter while it was read"
                                                : std::strerror(errno));
      at += got;
      offset += got;
      n -= got;
    }
  }
  int descriptor;
  uint64_t length;
};

/** Reads forward, and never past the end. */
class Cursor {
 public:
  explicit Cursor(ByteSource& bytes) : bytes_(bytes) {}
  uint64_t offset() const { return offset_; }
  uint64_t left() const { return bytes_.size() - offset_; }

  template <class T>
  T Next(const char* what) {
    if (left() < sizeof(T)) Corrupt(std::string("the data ends before ") + what, offset_);
    T value;
    bytes_.Read(offset_, &value, sizeof value);
    offset_ += sizeof value;
    return value;
  }

  /** A count of items of `width` bytes that must all be there. */
  uint64_t Count(const char* what, uint64_t width) {
    const auto n = Next<uint64_t>(what);
    if (n > left() / width)
      Corrupt(
          std::string(what) + " counts " + std::to_string(n) + " items, more than the data hold",
          offset_ - 8);
    return n;
  }

  void Skip(uint64_t n, const char* what) {
    if (n > left()) Corrupt(std::string("the data ends within ") + what, offset_);
    offset_ += n;
  }

  template <class T>
  std::vector<T> Items(uint64_t n, const char* what) {
    if (n > left() / sizeof(T)) Corrupt(std::string("the data ends within ") + what, offset_);
    std::vector<T> items(n);
    bytes_.Read(offset_, items.data(), n * sizeof(T));
    offset_ += n * sizeof(T);
    return items;
  }

  template <class T>
  std::vector<T> Vector(const char* what) {
    return Items<T>(Count(what, sizeof(T)), what);
  }

 private:
  ByteSource& bytes_;
  uint64_t offset_ = 0;
};

struct Header {
  std::string type;
  int32_t dim;
  uint64_t code_size;  // bytes a stored vector
  int64_t size;
  bool trained;
  uint32_t metric;
};

/** Checks one index, with those inside it. `positions`: the ids that its inverted lists may hold
 * are 0 to positions - 1; negative: any. */
class Checker {
 public:
  Checker(ByteSource& bytes) : in_(bytes) {}

  Header Index(int64_t positions) {
    if (++depth_ > 8) Corrupt("indexes nested more than 8 deep", in_.offset());
    Header h;
    const auto letters = in_.Next<uint32_t>("the index type");
    for (int i = 0; i < 4; i++) h.type += static_cast<char>(letters >> (8 * i));
    const auto is = [&](std::initializer_list<const char*> types) {
      return std::any_of(types.begin(), types.end(), [&](const char* t) { return h.type == t; });
    };
    const bool flat = IsFlat(h.type), map = is({"IxMp", "IxM2", "IBMp", "IBM2"}),
               graph = is({"IHNf", "IBHf"}), inverted = is({"IwFl", "IBwF"});
    if (!flat && !map && !graph && !inverted) throw Unknown{Printable(h.type)};
    if (IsBinary(h.type))
      ReadBinaryHeader(h);
    else
      ReadRealHeader(h);
    if (flat)
      Flat(h);
    else if (map)
      Mapped(h);
    else if (graph)
      Hnsw(h);
    else
      InvertedFile(h, positions);
    depth_--;
    return h;
  }

  void End() {
    if (in_.left() != 0) Corrupt(std::to_string(in_.left()) + " bytes too many", in_.offset());
  }

  struct Unknown {
    std::string type;
  };

 private:
  static std::string Printable(const std::string& type) {
    std::string text;
    for (const char c : type) text += c >= ' ' && c <= '~' ? c : '?';
    return text;
  }

  void Require(bool holds, const std::string& what) {
    if (!holds) Corrupt(what, in_.offset());
  }

  // index_read.cpp: read_index_header
  void ReadRealHeader(Header& h) {
    h.dim = in_.Next<int32_t>("the dimension");
    h.size = in_.Next<int64_t>("the vector count");
    in_.Skip(16, "the header");
    h.trained = in_.Next<uint8_t>("the trained flag") != 0;
    h.metric = in_.Next<uint32_t>("the metric");
    if (h.metric > 1) in_.Skip(4, "the metric's argument");
    h.code_size = static_cast<uint64_t>(h.dim) * 4;
    Require(h.dim > 0 && h.dim <= 1 << 24, "a dimension of " + std::to_string(h.dim));
    Require(h.size >= 0, "a negative vector count");
    Require(h.metric <= 30, "an unknown metric");
  }

  // index_read.cpp: read_index_binary_header
  void ReadBinaryHeader(Header& h) {
    h.dim = in_.Next<int32_t>("the number of bits");
    h.code_size = in_.Next<uint32_t>("the code size");
    h.size = in_.Next<int64_t>("the vector count");
    h.trained = in_.Next<uint8_t>("the trained flag") != 0;
    h.metric = in_.Next<uint32_t>("the metric");
    Require(h.dim > 0 && h.dim <= 1 << 27 && h.dim % 8 == 0,
            "codes of " + std::to_string(h.dim) + " bits");
    // Faiss leaves a map's own code size unset, and never reads it.
    Require(h.code_size == static_cast<uint64_t>(h.dim) / 8 || h.type[2] == 'M',
            "a code size that is not the number of bits / 8");
    Require(h.size >= 0, "a negative vector count");
  }

  static bool IsBinary(const std::string& type) { return type[1] == 'B'; }
  static bool IsFlat(const std::string& type) {
    return type == "IxFI" || type == "IxF2" || type == "IxFl" || type == "IBxF";
  }

  void Flat(const Header& h) {
    const uint64_t unit = IsBinary(h.type) ? 1 : 4;
    const auto n = in_.Count("the vectors", unit);
    // n * unit is at most the size of the data, so that the division below cannot be fooled by an
    // overflow.
    Require(n * unit % h.code_size == 0 && n * unit / h.code_size == static_cast<uint64_t>(h.size),
            "vectors that are not as many as the header says");
    in_.Skip(n * unit, "the vectors");
  }

  void Mapped(const Header& h) {
    const Header inner = Index(h.size);
    Require(IsBinary(inner.type) == IsBinary(h.type) && inner.dim == h.dim && inner.size == h.size,
            "an id map around an index of another size");
    const auto n = in_.Count("the id map", 8);
    Require(n == static_cast<uint64_t>(h.size), "an id map of another length than the index");
    in_.Skip(n * 8, "the id map");
  }

  // index_read.cpp: read_HNSW; what HNSW.cpp takes for granted when it walks the links.
  void Hnsw(const Header& h) {
    const auto probabilities = in_.Vector<double>("the level probabilities");
    const auto cumulative = in_.Vector<int32_t>("the links a level");
    const auto levels = in_.Vector<int32_t>("the levels");
    const auto offsets = in_.Vector<uint64_t>("the link offsets");
    const auto n = static_cast<uint64_t>(h.size);
    Require(cumulative.size() == probabilities.size() + 1 && cumulative.size() >= 2 &&
                cumulative.size() <= 1024 && cumulative[0] == 0,
            "impossible levels");
    for (size_t i = 1; i < cumulative.size(); i++) {
      Require(cumulative[i] > cumulative[i - 1] && cumulative[i] <= 1 << 24,
              "impossible numbers of links a level");
    }
    Require(levels.size() == n && offsets.size() == n + 1 && offsets[0] == 0,
            "a graph of another size than the index");
    int32_t highest = 0;
    for (uint64_t i = 0; i < n; i++) {
      Require(levels[i] >= 1 && static_cast<size_t>(levels[i]) < cumulative.size(),
              "a vector on an impossible level");
      Require(offsets[i + 1] >= offsets[i] &&
                  offsets[i + 1] - offsets[i] == static_cast<uint64_t>(cumulative[levels[i]]),
              "link offsets that do not fit the levels");
      highest = std::max(highest, levels[i]);
    }
    const auto links = in_.Count("the links", 4);
    Require(links == offsets[n], "links that do not fit their offsets");
    for (uint64_t i = 0; i < n; i++) {
      const auto own = in_.Items<int32_t>(offsets[i + 1] - offsets[i], "the links");
      for (int32_t level = 0; level < levels[i]; level++) {
        for (int32_t j = cumulative[level]; j < cumulative[level + 1]; j++) {
          // A link on a level leads to a vector that is on that level, too.
          Require(own[j] == -1 ||
                      (own[j] >= 0 && static_cast<uint64_t>(own[j]) < n && levels[own[j]] > level),
                  "a link to a vector that is not there");
        }
      }
    }
    const auto entry = in_.Next<int32_t>("the entry point");
    const auto top = in_.Next<int32_t>("the highest level");
    const auto ef_construction = in_.Next<int32_t>("efConstruction");
    const auto ef_search = in_.Next<int32_t>("efSearch");
    const auto beam = in_.Next<int32_t>("the beam");
    if (n == 0)
      Require(entry == -1, "an entry point into an empty graph");
    else
      Require(entry >= 0 && static_cast<uint64_t>(entry) < n && top == levels[entry] - 1 &&
                  top == highest - 1,
              "an impossible entry point");
    for (const auto width : {ef_construction, ef_search, beam})
      Require(width >= 1 && width <= 1 << 20, "an impossible efSearch, efConstruction or beam");
    const Header storage = Index(-1);
    Require(IsFlat(storage.type) && IsBinary(storage.type) == IsBinary(h.type) &&
                storage.dim == h.dim && storage.size == h.size,
            "a graph over other vectors");
  }

  // index_read.cpp: read_ivf_header, read_direct_map, read_InvertedLists
  void InvertedFile(const Header& h, int64_t positions) {
    const auto lists = in_.Next<uint64_t>("the number of lists");
    const auto nprobe = in_.Next<uint64_t>("nprobe");
    Require(lists >= 1 && lists <= 1u << 30 && nprobe >= 1 && nprobe <= INT32_MAX,
            "impossible numbers of lists");
    const Header quantizer = Index(-1);
    Require(quantizer.dim == h.dim && IsBinary(quantizer.type) == IsBinary(h.type),
            "lists around other vectors");
    Require(quantizer.size == (h.trained ? static_cast<int64_t>(lists) : 0) ||
                (!h.trained && quantizer.size <= static_cast<int64_t>(lists)),
            "other centroids than lists");
    const auto map_type = in_.Next<uint8_t>("the direct map");
    Require(map_type <= 2, "an unknown direct map");
    auto places = in_.Vector<int64_t>("the direct map");
    Require(map_type == 1 || places.empty(), "an unknown direct map");
    if (map_type == 2) {
      const auto pairs = in_.Count("the direct map", 16);
      for (uint64_t i = 0; i < pairs; i++) {
        in_.Skip(8, "the direct map");
        places.push_back(in_.Next<int64_t>("the direct map"));
      }
    }
    Require(in_.Next<uint32_t>("the inverted lists") == Letters("ilar"),
            "inverted lists of an unknown kind");
    Require(in_.Next<uint64_t>("the number of lists") == lists, "another number of lists");
    Require(in_.Next<uint64_t>("the code size") == h.code_size, "lists of other vectors");
    const auto sizes = ListSizes(lists);
    int64_t total = 0;
    for (const auto n : sizes) {
      Require(n <= in_.left() / (h.code_size + 8), "a list longer than the data");
      total += static_cast<int64_t>(n);
      in_.Skip(n * h.code_size, "a list's vectors");
      for (const auto id : in_.Items<int64_t>(n, "a list's ids")) {
        Require(id >= 0 && (positions < 0 || id < positions), "an impossible id in a list");
      }
    }
    Require(total == h.size, "lists that do not add up to the vector count");
    for (const auto place : places) {
      const auto list = static_cast<uint64_t>(place) >> 32;
      Require(place == -1 ||
                  (list < lists && (static_cast<uint64_t>(place) & 0xffffffff) < sizes[list]),
              "a direct map to nowhere");
    }
  }

  std::vector<uint64_t> ListSizes(uint64_t lists) {
    const auto layout = in_.Next<uint32_t>("the list sizes");
    if (layout == Letters("full")) {
      auto sizes = in_.Vector<uint64_t>("the list sizes");
      Require(sizes.size() == lists, "sizes of another number of lists");
      return sizes;
    }
    Require(layout == Letters("sprs"), "list sizes of an unknown kind");
    const auto pairs = in_.Vector<uint64_t>("the list sizes");
    Require(pairs.size() % 2 == 0, "list sizes without their list");
    std::vector<uint64_t> sizes(lists, 0);
    for (size_t i = 0; i < pairs.size(); i += 2) {
      Require(pairs[i] < lists, "a size for a list that is not there");
      sizes[pairs[i]] = pairs[i + 1];
    }
    return sizes;
  }

  static uint32_t Letters(const char* four) {
    uint32_t value;
    std::memcpy(&value, four, 4);
    return value;
  }

  Cursor in_;
  int depth_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> MemoryBytes(const uint8_t* data, uint64_t size) {
  return std::make_unique<Memory>(data, size);
}
std::unique_ptr<ByteSource> FileBytes(const std::string& file) {
  return std::make_unique<File>(file);
}

void CheckIndex(ByteSource& bytes, bool trusted) {
  Checker checker(bytes);
  try {
    checker.Index(-1);
  } catch (const Checker::Unknown& unknown) {
    if (trusted) return;
    throw CodedError("faiss-file", "index type \"" + unknown.type +
                                       "\" is not one whose structure can be checked");
  }
  checker.End();
}

size_t SourceReader::operator()(void* to, size_t size, size_t nitems) {
  if (size == 0 || nitems == 0) return 0;
  const size_t whole = std::min<uint64_t>(nitems, (bytes.size() - offset) / size);
  bytes.Read(offset, to, whole * size);
  offset += whole * size;
  return whole;
}
