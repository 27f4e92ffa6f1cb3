// The JavaScript side of rank-kernels.cc: checks the arguments, works off the main thread.
#include "ranks.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "rank-kernels.h"

namespace {

class RankTask : public Napi::AsyncWorker {
 public:
  explicit RankTask(Napi::Env env)
      : Napi::AsyncWorker(env, "ranks.rankRows"), deferred(Napi::Promise::Deferred::New(env)) {}

  void Execute() override {
    try {
      Rank(request, result_);
    } catch (const std::bad_alloc&) {
      SetError("ranks.rankRows: out of memory");
    } catch (const std::exception& error) {
      SetError(std::string("ranks.rankRows: ") + error.what());
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    Napi::Object out = Napi::Object::New(env);
    out.Set("scores", Doubles(env, result_.scores));
    out.Set("above", Integers(env, result_.above));
    out.Set("tied", Integers(env, result_.tied));
    out.Set("tiedBefore", Integers(env, result_.tied_before));
    out.Set("topRows", Integers(env, result_.top_rows));
    out.Set("topScores", Doubles(env, result_.top_scores));
    deferred.Resolve(out);
  }

  void OnError(const Napi::Error& error) override { deferred.Reject(error.Value()); }

  RankRequest request;
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference kept;  // the arrays that the request points into

 private:
  static Napi::Value Doubles(Napi::Env env, const std::vector<double>& values) {
    Napi::Float64Array array = Napi::Float64Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
  }
  static Napi::Value Integers(Napi::Env env, const std::vector<int32_t>& values) {
    Napi::Int32Array array = Napi::Int32Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
  }
  RankResult result_;
};

[[noreturn]] void Refuse(Napi::Env env, const std::string& why) {
  throw Napi::TypeError::New(env, "ranks.rankRows: " + why);
}

int Count(Napi::Env env, const Napi::Object& args, const char* name, int least) {
  const Napi::Value value = args.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= least && number <= 1 << 30 && number == std::floor(number)))
    Refuse(env,
           std::string(name) + " must be an integer from " + std::to_string(least) + " to 2^30");
  return static_cast<int>(number);
}

Napi::TypedArray Array(Napi::Env env, const Napi::Object& args, const char* name,
                       napi_typedarray_type type) {
  const Napi::Value value = args.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
    Refuse(env, std::string(name) + " has the wrong type");
  return value.As<Napi::TypedArray>();
}

template <typename T>
const T* Data(const Napi::TypedArray& array) {
  return reinterpret_cast<const T*>(static_cast<const uint8_t*>(array.ArrayBuffer().Data()) +
                                    array.ByteOffset());
}

// Checks a list of rows for each query and returns its two parts.
std::pair<const int32_t*, const int32_t*> Lists(Napi::Env env, const Napi::Object& args,
                                                const char* start_name, const char* rows_name,
                                                int queries, int gallery) {
  const Napi::TypedArray start = Array(env, args, start_name, napi_int32_array),
                         rows = Array(env, args, rows_name, napi_int32_array);
  const int32_t *s = Data<int32_t>(start), *r = Data<int32_t>(rows);
  if (start.ElementLength() != static_cast<size_t>(queries) + 1 || s[0] != 0 ||
      static_cast<size_t>(s[queries]) != rows.ElementLength())
    Refuse(env, std::string(start_name) + " does not fit");
  for (int q = 0; q < queries; q++) {
    if (s[q + 1] < s[q] || s[q + 1] > s[queries])
      Refuse(env, std::string(start_name) + " must not fall");
    for (int32_t i = s[q]; i < s[q + 1]; i++) {
      if (r[i] < 0 || r[i] >= gallery || (i > s[q] && r[i] <= r[i - 1]))
        Refuse(env, std::string(rows_name) + " must hold ascending row numbers of the gallery");
    }
  }
  return {s, r};
}

Napi::Value RankRows(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsObject()) Refuse(env, "one object expected");
  const Napi::Object args = info[0].As<Napi::Object>();
  RankRequest request;
  request.dim = Count(env, args, "dim", 1);
  request.top = Count(env, args, "top", 0);
  request.threads = Count(env, args, "threads", 1);
  const Napi::Value first = args.Get("queries");
  request.codes =
      first.IsTypedArray() && first.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
  const napi_typedarray_type type = request.codes ? napi_uint8_array : napi_float32_array;
  const Napi::TypedArray queries = Array(env, args, "queries", type),
                         gallery = Array(env, args, "gallery", type);
  if (queries.ElementLength() % request.dim != 0 || gallery.ElementLength() % request.dim != 0)
    Refuse(env, "the arrays are no whole number of rows");
  if (queries.ElementLength() / request.dim > 1 << 30 ||
      gallery.ElementLength() / request.dim > 1 << 30)
    Refuse(env, "too many rows");
  request.queries = Data<uint8_t>(queries);
  request.gallery = Data<uint8_t>(gallery);
  request.query_count = static_cast<int>(queries.ElementLength() / request.dim);
  request.gallery_count = static_cast<int>(gallery.ElementLength() / request.dim);
  if (request.top > request.gallery_count) Refuse(env, "top is more than the gallery holds");
  const Napi::Value norm = args.Get("galleryNorm");
  request.gallery_norm = norm.IsNumber() ? norm.As<Napi::Number>().DoubleValue() : NAN;
  if (!request.codes && !(request.gallery_norm >= 0))
    Refuse(env, "galleryNorm must be a number that is not negative");
  const auto marked =
      Lists(env, args, "markedStart", "marked", request.query_count, request.gallery_count);
  const auto excluded =
      Lists(env, args, "excludedStart", "excluded", request.query_count, request.gallery_count);
  request.marked_start = marked.first;
  request.marked = marked.second;
  request.excluded_start = excluded.first;
  request.excluded = excluded.second;
  RankTask* task = new RankTask(env);
  task->request = request;
  Napi::Object kept = Napi::Object::New(env);
  for (const char* name :
       {"queries", "gallery", "markedStart", "marked", "excludedStart", "excluded"})
    kept.Set(name, args.Get(name));
  task->kept = Napi::Persistent(kept);
  const Napi::Promise promise = task->deferred.Promise();
  task->Queue();
  return promise;
}

}  // namespace

void RegisterRanks(Napi::Env env, Napi::Object exports) {
  Napi::Object ranks = Napi::Object::New(env);
  ranks.Set("rankRows", Napi::Function::New(env, RankRows, "rankRows"));
  exports.Set("ranks", ranks);
}
