#include "resize.h"

void RegisterResize(Napi::Env, Napi::Object) {}
