// The addon's door: each part registers its own exports here, and nothing else happens in this file.
#include <napi.h>

#include "resize.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  RegisterResize(env, exports);
  return exports;
}

NODE_API_MODULE(shitu, Init)
