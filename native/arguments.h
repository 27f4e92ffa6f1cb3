#pragma once
#include <napi.h>

#include <cstdint>
#include <memory>
#include <string>

#include "worker.h"

// Arguments of the Faiss calls, checked one by one. Each throws a CodedError that says what was
// expected.

[[noreturn]] void BadArgument(const std::string& message);

/** A JavaScript object that stands for an index, marked as ours. */
Napi::Object Wrap(Napi::Env env, std::unique_ptr<FaissIndex> index);
/** The lane behind the first argument, which must be such an object, and open. */
std::shared_ptr<Lane> LaneOf(const Napi::CallbackInfo& info);

/** An integer within bounds. */
double NumberOf(const Napi::CallbackInfo& info, size_t at, const char* name, double least,
                double most);
std::string TextOf(const Napi::CallbackInfo& info, size_t at, const char* name);
/** False unless it is true. */
bool FlagOf(const Napi::CallbackInfo& info, size_t at);

struct Array {
  void* data;
  size_t length;
};

/** A typed array's memory in place. */
Array ArrayOf(const Napi::CallbackInfo& info, size_t at, const char* name,
              napi_typedarray_type type);

struct Rows {
  const void* data;
  int64_t n;
};

/** Whole rows of the index's kind and dimension. */
Rows RowsOf(const Napi::CallbackInfo& info, size_t at, const char* name, const FaissIndex& index);
