#!/usr/bin/env bash
# Runs the addon's tests under AddressSanitizer: concurrent calls, use after close, wrong handles, damaged files, all index types.
#
#   native/check-memory.sh                      our sources instrumented, Faiss as set-up built it
#   FAISS_ROOT=PREFIX native/check-memory.sh    the same with a Faiss of yours, best one compiled with -fsanitize=address, too
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests=(test/native/faiss-addon.test.ts test/native/faiss-corrupt.test.ts test/pipeline/index/engines.test.ts test/pipeline/index/refusals.test.ts)

node --input-type=module - "$work/shitu.node" <<'JS'
import { readdirSync } from "node:fs";
import { addonFlags, sharedFlags } from "./setup/addon.mjs";
import { cxx } from "./setup/compiler.mjs";
import { provideFaiss } from "./setup/faiss.mjs";
import { run } from "./setup/process.mjs";
const faiss = await provideFaiss(process.cwd(), () => undefined);
const sources = readdirSync("native").filter((f) => f.endsWith(".cc")).map((f) => `native/${f}`);
const sanitize = ["-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"];
await run(cxx(), [...addonFlags(process.cwd(), faiss), ...sanitize, ...sharedFlags(), ...sources, "-o", process.argv[2], ...faiss.linkFlags]);
JS
# Leaks are not looked for: Node itself ends without freeing. V8 keeps its own stacks, and the loader is not instrumented.
preload=$(g++ -print-file-name=libasan.so)
export ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0:abort_on_error=1:log_path="$work/asan" SHITU_ADDON="$work/shitu.node"
status=0
LD_PRELOAD="$preload" node --expose-gc node_modules/vitest/vitest.mjs run --no-file-parallelism --test-timeout=600000 "${tests[@]}" || status=$?
for report in "$work"/asan.*; do
  [ -e "$report" ] || continue
  cat "$report"
  status=1
done
[ "$status" -eq 0 ] && echo "AddressSanitizer: nothing found"
exit "$status"
