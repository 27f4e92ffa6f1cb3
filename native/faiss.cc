// The JavaScript face of FaissIndex (faiss.d.ts): checks arguments, and hands the work to the
// index's lane.
#include "faiss.h"

#include <omp.h>

#include <faiss/utils/utils.h>

#include "arguments.h"
#include "check.h"
#include "save.h"
#include "worker.h"

extern "C" char* openblas_get_config() __attribute__((weak));
extern "C" int openblas_get_num_threads() __attribute__((weak));

namespace {

using Info = Napi::CallbackInfo;

/** Runs a call's body; whatever it throws becomes a JavaScript error that names the call. */
template <class Body>
Napi::Value Guard(const Info& info, const char* call, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    const auto [code, message] = CurrentFailure();
    throw MakeError(info.Env(), call, code, message);
  }
}

/** Submits a call on an index; the arrays among its arguments stay alive until it is done. */
Napi::Value Submit(const Info& info, const std::shared_ptr<Lane>& lane,
                   std::unique_ptr<Task> task) {
  for (size_t i = 1; i < info.Length(); i++) task->Keep(info[i]);
  const Napi::Promise promise = task->promise();
  lane->Submit(task.release());
  return promise;
}

std::unique_ptr<Task> MakeTask(const Info& info, const char* call, Task::Role role) {
  return std::make_unique<Task>(info.Env(), call, role);
}

Napi::Value Undefined(Napi::Env env) { return env.Undefined(); }

const char* NameOf(Metric metric) {
  switch (metric) {
    case Metric::kInnerProduct:
      return "inner-product";
    case Metric::kL2:
      return "l2";
    case Metric::kHamming:
      return "hamming";
    default:
      return "other";
  }
}

Napi::Value Build(const Info& info) {
  const Napi::Env env = info.Env();
  Napi::Object build = Napi::Object::New(env);
  build.Set("version", std::to_string(FAISS_VERSION_MAJOR) + "." +
                           std::to_string(FAISS_VERSION_MINOR) + "." +
                           std::to_string(FAISS_VERSION_PATCH));
  build.Set("level", SHITU_FAISS_LEVEL);
  build.Set("flags", SHITU_FAISS_FLAGS);
  build.Set("origin", SHITU_FAISS_ORIGIN);
  build.Set("compileOptions", faiss::get_compile_options());
  build.Set("blas", SHITU_FAISS_BLAS);
  build.Set("blasConfig", openblas_get_config
                              ? Napi::Value(Napi::String::New(env, openblas_get_config()))
                              : env.Null());
  build.Set("blasThreads", openblas_get_num_threads
                               ? Napi::Value(Napi::Number::New(env, openblas_get_num_threads()))
                               : env.Null());
  build.Set("openmpThreads", Threads());
  build.Set("processors", omp_get_num_procs());
#ifdef __clang__
  build.Set("compiler", "clang " __clang_version__);
#else
  build.Set("compiler", "gcc " __VERSION__);
#endif
  return build;
}

Napi::Value SetThreadCount(const Info& info) {
  return Guard(info, "faiss.setThreads", [&] {
    SetThreads(static_cast<int>(NumberOf(info, 0, "threads", 1, 1024)));
    return info.Env().Undefined();
  });
}

Napi::Value Create(const Info& info) {
  return Guard(info, "faiss.create", [&] {
    const std::string factory = TextOf(info, 0, "factory");
    const std::string name = TextOf(info, 2, "metric");
    const int dim = static_cast<int>(NumberOf(info, 1, "dim", 1, 1 << 24));
    const Metric metric = name == "inner-product" ? Metric::kInnerProduct
                          : name == "l2"          ? Metric::kL2
                          : name == "hamming"     ? Metric::kHamming
                                                  : Metric::kOther;
    if (metric == Metric::kOther) BadArgument("metric must be inner-product, l2 or hamming");
    if (metric == Metric::kHamming && dim % 8 != 0) BadArgument("dim must be a multiple of 8 bits");
    return Wrap(info.Env(), FaissIndex::Create(factory, dim, metric));
  });
}

/** deserialize and read: neither has a lane yet. */
Napi::Value Load(const Info& info, const char* call,
                 std::function<std::unique_ptr<ByteSource>()> open) {
  const bool trusted = FlagOf(info, 1);
  auto task = MakeTask(info, call, Task::Role::kReader);
  task->Keep(info[0]);
  auto loaded = std::make_shared<std::unique_ptr<FaissIndex>>();
  task->run = [=] {
    const auto bytes = open();
    CheckIndex(*bytes, trusted);
    SourceReader reader(*bytes);
    *loaded = FaissIndex::Read(reader);
  };
  task->settle = [=](Napi::Env env) { return Wrap(env, std::move(*loaded)); };
  const Napi::Promise promise = task->promise();
  task.release()->Queue();
  return promise;
}

Napi::Value Deserialize(const Info& info) {
  return Guard(info, "faiss.deserialize", [&] {
    const Array bytes = ArrayOf(info, 0, "bytes", napi_uint8_array);
    return Load(info, "faiss.deserialize", [bytes] {
      return MemoryBytes(static_cast<const uint8_t*>(bytes.data), bytes.length);
    });
  });
}

Napi::Value Read(const Info& info) {
  return Guard(info, "faiss.read", [&] {
    return Load(info, "faiss.read", [file = TextOf(info, 0, "file")] { return FileBytes(file); });
  });
}

Napi::Value Describe(const Info& info) {
  return Guard(info, "faiss.describe", [&] {
    const auto lane = LaneOf(info);
    lane->RequireIdle();
    const FaissIndex& index = *lane->index;
    const Napi::Env env = info.Env();
    Napi::Object description = Napi::Object::New(env);
    const Core core = index.core();
    description.Set("kind", index.binary() ? "binary" : "real");
    description.Set("metric", NameOf(index.metric()));
    description.Set("dim", index.dim());
    description.Set("size", static_cast<double>(index.size()));
    description.Set("trained", Napi::Boolean::New(env, index.trained()));
    description.Set("type", core == Core::kFlat   ? "flat"
                            : core == Core::kHnsw ? "hnsw"
                            : core == Core::kIvf  ? "ivf"
                                                  : "other");
    description.Set("idMapped", Napi::Boolean::New(env, index.id_mapped()));
    description.Set("lists", static_cast<double>(index.lists()));
    description.Set("largestId", static_cast<double>(index.LargestId()));
    Napi::Object parameters = Napi::Object::New(env);
    for (const auto& [name, value] : index.Parameters()) parameters.Set(name, value);
    description.Set("parameters", parameters);
    return description;
  });
}

Napi::Value Train(const Info& info) {
  return Guard(info, "faiss.train", [&] {
    const auto lane = LaneOf(info);
    const Rows rows = RowsOf(info, 1, "rows", *lane->index);
    auto task = MakeTask(info, "faiss.train", Task::Role::kWriter);
    task->run = [rows, index = lane->index.get()] { index->Train(rows.n, rows.data); };
    task->settle = Undefined;
    return Submit(info, lane, std::move(task));
  });
}

Napi::Value Add(const Info& info) {
  return Guard(info, "faiss.add", [&] {
    const auto lane = LaneOf(info);
    const Rows rows = RowsOf(info, 1, "rows", *lane->index);
    const double* ids = nullptr;
    if (info.Length() > 2 && !info[2].IsUndefined()) {
      const Array array = ArrayOf(info, 2, "ids", napi_float64_array);
      if (array.length != static_cast<size_t>(rows.n))
        BadArgument("ids has " + std::to_string(array.length) + " items for " +
                    std::to_string(rows.n) + " rows");
      ids = static_cast<const double*>(array.data);
    }
    auto task = MakeTask(info, "faiss.add", Task::Role::kWriter);
    task->run = [rows, ids, index = lane->index.get()] { index->Add(rows.n, rows.data, ids); };
    task->settle = Undefined;
    return Submit(info, lane, std::move(task));
  });
}

Napi::Value Remove(const Info& info) {
  return Guard(info, "faiss.remove", [&] {
    const auto lane = LaneOf(info);
    const Array ids = ArrayOf(info, 1, "ids", napi_float64_array);
    auto task = MakeTask(info, "faiss.remove", Task::Role::kWriter);
    auto removed = std::make_shared<int64_t>(0);
    task->run = [ids, removed, index = lane->index.get()] {
      *removed = index->Remove(ids.length, static_cast<const double*>(ids.data));
    };
    task->settle = [removed](Napi::Env env) {
      return Napi::Number::New(env, static_cast<double>(*removed));
    };
    return Submit(info, lane, std::move(task));
  });
}

struct Query {
  Rows rows;
  int64_t k;
};

Query QueryOf(const Info& info, const Lane& lane) {
  const Rows rows = RowsOf(info, 1, "queries", *lane.index);
  const auto k = static_cast<int64_t>(NumberOf(info, 2, "k", 1, 1 << 29));
  // V8 ends the process when it cannot allocate an array.
  if (rows.n > (int64_t{1} << 29) / k) BadArgument("queries x k is more than 2^29");
  return {rows, k};
}

Napi::Object Neighbours(Napi::Env env, Napi::Value rows, Napi::Value scores) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", rows);
  result.Set("scores", scores);
  return result;
}

Napi::Value Search(const Info& info) {
  return Guard(info, "faiss.search", [&] {
    const auto lane = LaneOf(info);
    const Query query = QueryOf(info, *lane);
    auto task = MakeTask(info, "faiss.search", Task::Role::kReader);
    auto ids = Napi::Float64Array::New(info.Env(), query.rows.n * query.k);
    auto scores = Napi::Float32Array::New(info.Env(), query.rows.n * query.k);
    auto kept = std::make_shared<Napi::ObjectReference>(
        Napi::Persistent(Neighbours(info.Env(), ids, scores)));
    task->run = [query, index = lane->index.get(), to_ids = ids.Data(), to_scores = scores.Data()] {
      index->Search(query.rows.n, query.rows.data, query.k, to_ids, to_scores);
    };
    task->settle = [kept](Napi::Env) { return kept->Value(); };
    return Submit(info, lane, std::move(task));
  });
}

Napi::Value SearchSync(const Info& info) {
  return Guard(info, "faiss.searchSync", [&] {
    const auto lane = LaneOf(info);
    lane->RequireIdle();
    const Query query = QueryOf(info, *lane);
    auto ids = Napi::Float64Array::New(info.Env(), query.rows.n * query.k);
    auto scores = Napi::Float32Array::New(info.Env(), query.rows.n * query.k);
    ApplyThreads();
    lane->index->Search(query.rows.n, query.rows.data, query.k, ids.Data(), scores.Data());
    return Neighbours(info.Env(), ids, scores);
  });
}

Napi::Value Reconstruct(const Info& info) {
  return Guard(info, "faiss.reconstruct", [&] {
    const auto lane = LaneOf(info);
    const Array ids = ArrayOf(info, 1, "ids", napi_float64_array);
    auto task = MakeTask(info, "faiss.reconstruct", Task::Role::kReader);
    const Napi::Env env = info.Env();
    const size_t width = lane->index->binary() ? lane->index->row_bytes() : lane->index->dim();
    if (ids.length > (size_t{1} << 31) / width) BadArgument("too many ids at once");
    Napi::TypedArray rows =
        lane->index->binary() ? Napi::TypedArray(Napi::Uint8Array::New(env, ids.length * width))
                              : Napi::TypedArray(Napi::Float32Array::New(env, ids.length * width));
    auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(rows.As<Napi::Object>()));
    task->run = [ids, index = lane->index.get(), to = rows.ArrayBuffer().Data()] {
      index->Reconstruct(ids.length, static_cast<const double*>(ids.data), to);
    };
    task->settle = [kept](Napi::Env) { return kept->Value(); };
    return Submit(info, lane, std::move(task));
  });
}

Napi::Value Set(const Info& info) {
  return Guard(info, "faiss.set", [&] {
    const auto lane = LaneOf(info);
    const std::string name = TextOf(info, 1, "name");
    const double value = NumberOf(info, 2, name.c_str(), 1, 9007199254740991.0);
    // The names depend on the index's type, which no call changes, so that this is safe beside any
    // other.
    lane->index->CheckParameter(name, value);
    if (lane->idle()) {
      lane->index->Set(name, value);
      return info.Env().Undefined();
    }
    auto task = MakeTask(info, "faiss.set", Task::Role::kWriter);
    task->silent = true;
    task->run = [name, value, index = lane->index.get()] { index->Set(name, value); };
    lane->Submit(task.release());
    return info.Env().Undefined();
  });
}

Napi::Value Serialize(const Info& info) {
  return Guard(info, "faiss.serialize", [&] {
    const auto lane = LaneOf(info);
    auto task = MakeTask(info, "faiss.serialize", Task::Role::kReader);
    auto kept = std::make_shared<Napi::ObjectReference>();
    auto room = std::make_shared<std::pair<uint8_t*, uint64_t>>();
    FaissIndex* index = lane->index.get();
    // Counted when the earlier writers are done, so that one array of the right size can be filled
    // in place.
    task->begin = [=](Napi::Env env) {
      const Napi::HandleScope scope(env);
      const uint64_t bytes = index->Bytes();
      if (bytes > uint64_t{1} << 32)
        throw CodedError("faiss-memory",
                         "the index is larger than an array may be: write it to a file");
      auto array = Napi::Uint8Array::New(env, bytes);
      *kept = Napi::Persistent(array.As<Napi::Object>());
      *room = {array.Data(), bytes};
    };
    task->run = [=] {
      ArrayWriter writer(room->first, room->second);
      index->Serialize(writer);
    };
    task->settle = [kept](Napi::Env) { return kept->Value(); };
    return Submit(info, lane, std::move(task));
  });
}

Napi::Value Write(const Info& info) {
  return Guard(info, "faiss.write", [&] {
    const auto lane = LaneOf(info);
    auto task = MakeTask(info, "faiss.write", Task::Role::kReader);
    auto bytes = std::make_shared<uint64_t>(0);
    task->run = [bytes, file = TextOf(info, 1, "file"), index = lane->index.get()] {
      FileWriter writer(file);
      index->Serialize(writer);
      *bytes = writer.Finish();
    };
    task->settle = [bytes](Napi::Env env) {
      return Napi::Number::New(env, static_cast<double>(*bytes));
    };
    return Submit(info, lane, std::move(task));
  });
}

Napi::Value Bytes(const Info& info) {
  return Guard(info, "faiss.bytes", [&] {
    const auto lane = LaneOf(info);
    lane->RequireIdle();
    return Napi::Number::New(info.Env(), static_cast<double>(lane->index->Bytes()));
  });
}

Napi::Value Close(const Info& info) {
  return Guard(info, "faiss.close", [&] {
    try {
      LaneOf(info)->Close(info.Env());
    } catch (const CodedError& error) {
      if (std::string(error.code) != "faiss-closed") throw;
    }
    return info.Env().Undefined();
  });
}

}  // namespace

void RegisterFaiss(Napi::Env env, Napi::Object exports) {
  Napi::Object faiss = Napi::Object::New(env);
  const std::pair<const char*, Napi::Value (*)(const Info&)> calls[] = {
      {"build", Build},
      {"setThreads", SetThreadCount},
      {"create", Create},
      {"deserialize", Deserialize},
      {"read", Read},
      {"describe", Describe},
      {"train", Train},
      {"add", Add},
      {"remove", Remove},
      {"search", Search},
      {"searchSync", SearchSync},
      {"reconstruct", Reconstruct},
      {"set", Set},
      {"serialize", Serialize},
      {"write", Write},
      {"bytes", Bytes},
      {"close", Close},
  };
  for (const auto& [name, call] : calls) faiss.Set(name, Napi::Function::New(env, call, name));
  exports.Set("faiss", faiss);
}
