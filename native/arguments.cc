#include "arguments.h"

#include <cmath>

using Info = Napi::CallbackInfo;

namespace {

// Marks objects as handles of ours, so that no other object's memory is ever taken for an index.
constexpr napi_type_tag kHandleTag = {0x5317a1b37f4e4c1dULL, 0x9a0e6d2c48b3f571ULL};

struct Handle {
  std::shared_ptr<Lane> lane;
};

}  // namespace

void BadArgument(const std::string& message) { throw CodedError("faiss-argument", message); }

Napi::Object Wrap(Napi::Env env, std::unique_ptr<FaissIndex> index) {
  Napi::Object object = Napi::Object::New(env);
  object.TypeTag(&kHandleTag);
  auto handle = std::make_unique<Handle>(Handle{std::make_shared<Lane>(std::move(index))});
  const auto free = [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); };
  if (napi_wrap(env, object, handle.get(), free, nullptr, nullptr) != napi_ok)
    throw CodedError("faiss-error", "the handle could not be made");
  handle.release();
  return object;
}

std::shared_ptr<Lane> LaneOf(const Info& info) {
  if (info.Length() < 1 || !info[0].IsObject() ||
      !info[0].As<Napi::Object>().CheckTypeTag(&kHandleTag)) {
    throw CodedError("faiss-handle", "the first argument is not an index handle");
  }
  void* data = nullptr;
  if (napi_unwrap(info.Env(), info[0], &data) != napi_ok)
    throw CodedError("faiss-handle", "the first argument is not an index handle");
  auto lane = static_cast<Handle*>(data)->lane;
  if (lane->closed) throw CodedError("faiss-closed", "the index has been closed");
  return lane;
}

double NumberOf(const Info& info, size_t at, const char* name, double least, double most) {
  const double value = info.Length() > at && info[at].IsNumber()
                           ? info[at].As<Napi::Number>().DoubleValue()
                           : std::nan("");
  if (!(value >= least && value <= most && std::floor(value) == value)) {
    BadArgument(std::string(name) + " must be an integer from " +
                std::to_string(static_cast<int64_t>(least)) + " to " +
                std::to_string(static_cast<int64_t>(most)));
  }
  return value;
}

std::string TextOf(const Info& info, size_t at, const char* name) {
  if (info.Length() <= at || !info[at].IsString())
    BadArgument(std::string(name) + " must be a string");
  std::string text = info[at].As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos)
    BadArgument(std::string(name) + " holds a NUL character");
  return text;
}

bool FlagOf(const Info& info, size_t at) {
  return info.Length() > at && info[at].IsBoolean() && info[at].As<Napi::Boolean>().Value();
}

Array ArrayOf(const Info& info, size_t at, const char* name, napi_typedarray_type type) {
  static const char* const names[] = {"Int8Array",   "Uint8Array",   "Uint8ClampedArray",
                                      "Int16Array",  "Uint16Array",  "Int32Array",
                                      "Uint32Array", "Float32Array", "Float64Array"};
  napi_typedarray_type found;
  Array array{};
  if (info.Length() <= at || !info[at].IsTypedArray() ||
      napi_get_typedarray_info(info.Env(), info[at], &found, &array.length, &array.data, nullptr,
                               nullptr) != napi_ok ||
      found != type) {
    BadArgument(std::string(name) + " must be a " + names[type]);
  }
  return array;
}

Rows RowsOf(const Info& info, size_t at, const char* name, const FaissIndex& index) {
  const Array array =
      ArrayOf(info, at, name, index.binary() ? napi_uint8_array : napi_float32_array);
  const size_t width = index.binary() ? index.row_bytes() : index.dim();
  if (array.length % width != 0) {
    BadArgument(std::string(name) + " has " + std::to_string(array.length) +
                " items, which is not a multiple of " + std::to_string(width));
  }
  return {array.data, static_cast<int64_t>(array.length / width)};
}
