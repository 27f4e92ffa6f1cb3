#pragma once
#include <napi.h>

/** Adds the resize kernels to the addon's exports. */
void RegisterResize(Napi::Env env, Napi::Object exports);
