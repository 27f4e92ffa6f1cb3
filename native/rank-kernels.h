#pragma once
#include <cstdint>
#include <vector>

/** See ranks.d.ts. The lists are checked: ascending row numbers of the gallery. */
struct RankRequest {
  const void* queries;
  const void* gallery;
  int query_count, gallery_count, dim, top, threads;
  bool codes;
  double gallery_norm;
  const int32_t *marked_start, *marked, *excluded_start, *excluded;
};

struct RankResult {
  std::vector<double> scores, top_scores;
  std::vector<int32_t> above, tied, tied_before, top_rows;
};

/** Fills the result on `request.threads` threads. Throws std::invalid_argument where a query holds
 * a value that is not finite. */
void Rank(const RankRequest& request, RankResult& result);
