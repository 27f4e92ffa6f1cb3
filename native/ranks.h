#pragma once
#include <napi.h>

/** Adds `ranks.rankRows` to the addon's exports; `ranks.d.ts` says what it does. */
void RegisterRanks(Napi::Env env, Napi::Object exports);
