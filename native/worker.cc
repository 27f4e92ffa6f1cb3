#include "worker.h"

#include <new>

#include <faiss/impl/FaissException.h>

std::string Plain(const std::string& message) {
  if (message.rfind("Error in ", 0) != 0) return message;
  const auto failed = message.find("failed: ");
  if (failed != std::string::npos && failed + 8 < message.size()) return message.substr(failed + 8);
  const auto place = message.find(" at ");
  const auto text = place == std::string::npos ? std::string::npos : message.find(": ", place);
  return text == std::string::npos ? message : message.substr(text + 2);
}

std::pair<const char*, std::string> CurrentFailure() {
  try {
    throw;
  } catch (const CodedError& error) {
    return {error.code, error.what()};
  } catch (const faiss::FaissException& error) {
    return {"faiss-error", Plain(error.what())};
  } catch (const std::bad_alloc&) {
    return {"faiss-memory", "out of memory"};
  } catch (const std::length_error&) {
    return {"faiss-memory", "out of memory"};
  } catch (const std::exception& error) {
    return {"faiss-error", error.what()};
  } catch (...) {
    return {"faiss-error", "unknown failure"};
  }
}

Napi::Error MakeError(Napi::Env env, const char* call, const char* code,
                      const std::string& message) {
  Napi::Error error = Napi::Error::New(env, std::string(call) + ": " + message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

void Lane::RequireIdle() const {
  if (closed) throw CodedError("faiss-closed", "the index has been closed");
  // Whatever waits, waits for a writer or is one.
  if (writing_ || !waiting_.empty())
    throw CodedError("faiss-busy",
                     "an asynchronous call that changes the index is under way: await it first");
}

void Lane::Submit(Task* task) {
  task->lane = shared_from_this();
  waiting_.push_back(task);
  Pump();
}

void Lane::Pump() {
  while (!waiting_.empty() && !writing_ && (!waiting_.front()->writer() || running_ == 0)) {
    Task* task = waiting_.front();
    waiting_.pop_front();
    running_++;
    writing_ = task->writer();
    task->Begin();
  }
}

void Lane::Finished(Napi::Env env, bool writer) {
  running_--;
  if (writer) writing_ = false;
  if (closed && running_ == 0) index.reset();
  if (!closed) Pump();
}

void Lane::Close(Napi::Env env) {
  if (closed) return;
  closed = true;
  std::deque<Task*> refused;
  refused.swap(waiting_);
  if (running_ == 0) index.reset();
  for (Task* task : refused)
    task->Refuse("faiss-closed", "the index was closed before the call began");
}

void Task::Begin() {
  if (begin) {
    try {
      begin(Env());
    } catch (...) {
      failure_ = CurrentFailure();  // Execute does nothing then, and OnOK rejects
    }
  }
  Queue();
}

void Task::Execute() {
  if (failure_) return;
  try {
    ApplyThreads();
    run();
  } catch (...) {
    failure_ = CurrentFailure();
  }
}

void Task::OnOK() {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  // Frees the lane for the next call before the promise's owner hears of the result.
  const std::shared_ptr<Lane> held = std::move(lane);
  if (held) held->Finished(env, writer());
  if (silent) return;
  if (!failure_) {
    try {
      deferred_.Resolve(settle(env));
      return;
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
      return;
    } catch (...) {
      failure_ = CurrentFailure();
    }
  }
  deferred_.Reject(MakeError(env, call_, failure_->first, failure_->second).Value());
}

void Task::Refuse(const char* code, const std::string& message) {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  if (!silent) deferred_.Reject(MakeError(env, call_, code, message).Value());
  delete this;
}
