#pragma once
#include <napi.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index.h"

/** Faiss's own message without its function and source line. */
std::string Plain(const std::string& message);
/** The failure in flight (call only in a catch block) as code and message. */
std::pair<const char*, std::string> CurrentFailure();
/** An Error whose message begins with the call's name, with its `code`. */
Napi::Error MakeError(Napi::Env env, const char* call, const char* code,
                      const std::string& message);

class Task;

/**
 * One index and the calls on it. All of it runs on the JavaScript thread except Task::Execute.
 * Calls begin in the order in which they were made: any number of readers at once, a writer alone.
 * So no worker thread ever waits for a lock, and none touches an index that another writes.
 */
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  explicit Lane(std::unique_ptr<FaissIndex> index) : index(std::move(index)) {}

  /** Throws where the index is closed, or a writer is at work or waiting: synchronous calls do not
   * wait. */
  void RequireIdle() const;
  /** As RequireIdle, and no reader may be at work either. */
  bool idle() const { return running_ == 0 && waiting_.empty(); }
  void Submit(Task* task);
  void Finished(Napi::Env env, bool writer);
  void Close(Napi::Env env);

  std::unique_ptr<FaissIndex> index;
  bool closed = false;

 private:
  void Pump();
  std::deque<Task*> waiting_;
  int running_ = 0;
  bool writing_ = false;
};

/** One asynchronous call: `run` on a worker thread, then `settle` back on the JavaScript thread
 * makes the promise's value. */
class Task : public Napi::AsyncWorker {
 public:
  enum class Role { kReader, kWriter };
  using Run = std::function<void()>;
  using Settle = std::function<Napi::Value(Napi::Env)>;

  Task(Napi::Env env, const char* call, Role role)
      : Napi::AsyncWorker(env, call),
        call_(call),
        role_(role),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  /** Keeps a JavaScript value, and with it the memory that the worker uses, alive until the task is
   * done. */
  void Keep(Napi::Value value) {
    if (value.IsObject()) kept_.push_back(Napi::Persistent(value.As<Napi::Object>()));
  }

  Napi::Promise promise() const { return deferred_.Promise(); }
  bool writer() const { return role_ == Role::kWriter; }
  /** Just before the work is queued, on the JavaScript thread: all earlier writers are done. */
  void Begin();
  /** Refuses a task that never began, and deletes it. */
  void Refuse(const char* code, const std::string& message);

  void Execute() override;
  void OnOK() override;

  Run run;
  Settle settle;
  std::function<void(Napi::Env)> begin;
  std::shared_ptr<Lane> lane;  // null for work that has no index yet
  /** Nobody holds the promise: a failure has no one to go to. */
  bool silent = false;

 private:
  const char* call_;
  Role role_;
  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> kept_;
  std::optional<std::pair<const char*, std::string>> failure_;
};
