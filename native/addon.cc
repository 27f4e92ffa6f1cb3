// The addon's door: each part registers its own exports here, and nothing else happens in this
// file.
#include <napi.h>

#include "faiss.h"
#include "ranks.h"
#include "resize.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  RegisterFaiss(env, exports);
  RegisterResize(env, exports);
  RegisterRanks(env, exports);
  return exports;
}

NODE_API_MODULE(shitu, Init)
