#pragma once
#include <napi.h>

/** Adds the Faiss calls to the addon's exports, under `faiss`. */
void RegisterFaiss(Napi::Env env, Napi::Object exports);
