// Where given rows stand in the exact ranking of a gallery.
//
// Inner products are compared as doubles that are summed in a fixed order (Exact below), so that
// the result depends neither on the BLAS nor on the number of threads, and equal rows tie.
// Computing all of them so would take many times as long as a float GEMM: the GEMM therefore only
// filters. Its error is bounded (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// equation 3.5: any order of summation, |error| <= gamma_n |x|'|y|, gamma_n = nu / (1 - nu)), and
// each product that is closer than that to a score it must be compared with is computed again in
// double.
#include "rank-kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

// Fortran's interface, which every BLAS has.
extern "C" void sgemm_(const char* transa, const char* transb, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);
// Present where the BLAS is OpenBLAS.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));
extern "C" int openblas_get_num_threads() __attribute__((weak));

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kNone = -std::numeric_limits<float>::infinity();

// The products of two floats are exact in double, so that only the order of the additions matters:
// four running sums, element i in sum i mod 4, joined as (0 + 1) + (2 + 3).
// src/pipeline/index/row-ranks-plain.ts does the same.
double Exact(const float* a, const float* b, int n) {
  double sum[4] = {0, 0, 0, 0};
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int j = 0; j < 4; j++)
      sum[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
  }
  for (int j = 0; i + j < n; j++)
    sum[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

int Hamming(const uint8_t* a, const uint8_t* b, int bytes) {
  int distance = 0;
  int i = 0;
  for (; i + 8 <= bytes; i += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    distance += __builtin_popcountll(x ^ y);
  }
  for (; i < bytes; i++) distance += __builtin_popcount(a[i] ^ b[i]);
  return distance;
}

// The best `size` rows: greater score first, then smaller row. A heap with the worst on top.
class Best {
 public:
  explicit Best(size_t size) : size_(size) { heap_.reserve(size); }

  // A score below this cannot enter.
  double floor() const {
    return size_ == 0 ? kInfinity : heap_.size() < size_ ? -kInfinity : heap_.front().first;
  }

  void Offer(double score, int32_t row) {
    if (size_ == 0) return;
    const std::pair<double, int32_t> item{score, row};
    if (heap_.size() < size_) {
      heap_.push_back(item);
      std::push_heap(heap_.begin(), heap_.end(), Better);
    } else if (Better(item, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), Better);
      heap_.back() = item;
      std::push_heap(heap_.begin(), heap_.end(), Better);
    }
  }

  void Write(double* scores, int32_t* rows) {
    std::sort_heap(heap_.begin(), heap_.end(), Better);
    for (size_t i = 0; i < size_; i++) {
      scores[i] = i < heap_.size() ? heap_[i].first : -kInfinity;
      rows[i] = i < heap_.size() ? heap_[i].second : -1;
    }
  }

 private:
  static bool Better(const std::pair<double, int32_t>& a, const std::pair<double, int32_t>& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  }
  size_t size_;
  std::vector<std::pair<double, int32_t>> heap_;
};

// One query's place among inner products.
class VectorQuery {
 public:
  VectorQuery(const RankRequest& request, int query)
      : request_(request), query_(query), best_(request.top) {
    const float* gallery = static_cast<const float*>(request.gallery);
    vector_ = static_cast<const float*>(request.queries) + static_cast<size_t>(query) * request.dim;
    const double norm = std::sqrt(Exact(vector_, vector_, request.dim));
    const double unit = std::ldexp(1.0, -24);
    const double terms = request.dim + 4;
    // The second part covers products too small for a normal float, flushed to zero or not.
    margin_ = terms * unit / (1 - terms * unit) * norm * request.gallery_norm * 1.0001 +
              terms * static_cast<double>(std::numeric_limits<float>::min());
    if (!std::isfinite(norm))
      throw std::invalid_argument("a query holds a value that is not finite");
    filtered_ = norm * request.gallery_norm < 1e37;
    if (!filtered_) margin_ = kInfinity;
    const int32_t begin = request.marked_start[query], end = request.marked_start[query + 1];
    scores_.resize(end - begin);
    for (int32_t i = begin; i < end; i++) {
      const int32_t row = request.marked[i];
      scores_[i - begin] =
          Exact(vector_, gallery + static_cast<size_t>(row) * request.dim, request.dim);
      best_.Offer(scores_[i - begin], row);
    }
    values_ = scores_;
    std::sort(values_.begin(), values_.end(), std::greater<double>());
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    passed_.assign(values_.size() + 1, 0);
    tied_rows_.resize(values_.size());
    next_marked_ = request.marked + begin;
    next_excluded_ = request.excluded + request.excluded_start[query];
    UpdateFloor();
  }

  bool filtered() const { return filtered_; }

  // `products` of the gallery's rows [first, first + count), overwritten where a row is marked or
  // excluded.
  void Take(float* products, int first, int count) {
    Blank(products, first, count, next_marked_,
          request_.marked + request_.marked_start[query_ + 1]);
    Blank(products, first, count, next_excluded_,
          request_.excluded + request_.excluded_start[query_ + 1]);
    constexpr int kStride = 32;
    int j = 0;
    for (; j + kStride <= count; j += kStride) {
      // Most rows are too low to matter: one comparison each, without branches.
      const float floor = floor_;
      int any = 0;
      for (int i = 0; i < kStride; i++) any |= products[j + i] >= floor;
      if (any) {
        for (int i = 0; i < kStride; i++) Consider(products[j + i], first + j + i);
      }
    }
    for (; j < count; j++) Consider(products[j], first + j);
  }

  void Write(RankResult& result) {
    const int32_t begin = request_.marked_start[query_];
    for (size_t i = 1; i < passed_.size(); i++) passed_[i] += passed_[i - 1];
    for (size_t i = 0; i < scores_.size(); i++) {
      const size_t place =
          std::lower_bound(values_.begin(), values_.end(), scores_[i], std::greater<double>()) -
          values_.begin();
      const std::vector<int32_t>& rows = tied_rows_[place];  // ascending, as they were met
      result.scores[begin + i] = scores_[i];
      result.above[begin + i] = passed_[place];
      result.tied[begin + i] = static_cast<int32_t>(rows.size());
      result.tied_before[begin + i] = static_cast<int32_t>(
          std::lower_bound(rows.begin(), rows.end(), request_.marked[begin + i]) - rows.begin());
    }
    const size_t at = static_cast<size_t>(query_) * request_.top;
    best_.Write(result.top_scores.data() + at, result.top_rows.data() + at);
  }

 private:
  static void Blank(float* products, int first, int count, const int32_t*& next,
                    const int32_t* end) {
    for (; next != end && *next < first + count; ++next) products[*next - first] = kNone;
  }

  double ExactScore(int row) const {
    return Exact(
        vector_,
        static_cast<const float*>(request_.gallery) + static_cast<size_t>(row) * request_.dim,
        request_.dim);
  }

  // Below this, a product changes nothing. As a float that is not above the double.
  void UpdateFloor() {
    const double lowest = values_.empty() ? kInfinity : values_.back();
    const double floor = std::min(lowest, best_.floor()) - margin_;
    floor_ = static_cast<float>(floor);
    if (static_cast<double>(floor_) > floor) floor_ = std::nextafter(floor_, kNone);
  }

  void Consider(float product, int row) {
    if (product == kNone || product < floor_) return;
    const double value = product;
    double exact = 0;
    bool known = false;
    if (!values_.empty() && value >= values_.back() - margin_) {
      // The first marked value that is not surely greater than this product.
      size_t place = std::partition_point(values_.begin(), values_.end(),
                                          [&](double v) { return v - margin_ > value; }) -
                     values_.begin();
      if (place < values_.size() && value <= values_[place] + margin_) {
        exact = ExactScore(row);
        known = true;
        place = std::lower_bound(values_.begin(), values_.end(), exact, std::greater<double>()) -
                values_.begin();
        if (place < values_.size() && values_[place] == exact) tied_rows_[place++].push_back(row);
      }
      passed_[place]++;  // greater than values_[place] and all after it
    }
    if (value >= best_.floor() - margin_) {
      best_.Offer(known ? exact : ExactScore(row), row);
      UpdateFloor();
    }
  }

  const RankRequest& request_;
  const int query_;
  const float* vector_;
  double margin_;
  bool filtered_;
  float floor_;
  Best best_;
  std::vector<double> scores_, values_;  // of the marked rows; the second distinct and descending
  std::vector<int32_t> passed_;
  std::vector<std::vector<int32_t>> tied_rows_;
  const int32_t *next_marked_, *next_excluded_;
};

void RankVectors(const RankRequest& request, int begin, int end, RankResult& result) {
  constexpr int kQueries = 128, kRows = 2048;
  const float* queries = static_cast<const float*>(request.queries);
  const float* gallery = static_cast<const float*>(request.gallery);
  std::vector<float> products(static_cast<size_t>(std::min(kQueries, end - begin)) * kRows);
  for (int q0 = begin; q0 < end; q0 += kQueries) {
    const int count = std::min(kQueries, end - q0);
    std::vector<VectorQuery> states;
    states.reserve(count);
    bool filtered = true;
    for (int i = 0; i < count; i++) {
      states.emplace_back(request, q0 + i);
      filtered = filtered && states.back().filtered();
    }
    for (int g0 = 0; g0 < request.gallery_count; g0 += kRows) {
      const int rows = std::min(kRows, request.gallery_count - g0);
      if (filtered) {
        const float one = 1, zero = 0;
        sgemm_("T", "N", &rows, &count, &request.dim, &one,
               gallery + static_cast<size_t>(g0) * request.dim, &request.dim,
               queries + static_cast<size_t>(q0) * request.dim, &request.dim, &zero,
               products.data(), &rows);
      } else {
        // A product may overflow: no filter. Those queries whose margin is infinite compute every
        // row in double; the others too, since 0 says nothing.
        std::fill(products.begin(), products.end(), 0.0f);
        for (int i = 0; i < count; i++) {
          if (!states[i].filtered()) continue;
          const float* vector = queries + static_cast<size_t>(q0 + i) * request.dim;
          for (int r = 0; r < rows; r++)
            products[static_cast<size_t>(i) * rows + r] = static_cast<float>(
                Exact(vector, gallery + static_cast<size_t>(g0 + r) * request.dim, request.dim));
        }
      }
      for (int i = 0; i < count; i++)
        states[i].Take(products.data() + static_cast<size_t>(i) * rows, g0, rows);
    }
    for (VectorQuery& state : states) state.Write(result);
  }
}

void RankCodes(const RankRequest& request, int begin, int end, RankResult& result) {
  const uint8_t* queries = static_cast<const uint8_t*>(request.queries);
  const uint8_t* gallery = static_cast<const uint8_t*>(request.gallery);
  const int bits = request.dim * 8;
  std::vector<int32_t> at_distance(bits + 2);
  for (int q = begin; q < end; q++) {
    const uint8_t* code = queries + static_cast<size_t>(q) * request.dim;
    std::fill(at_distance.begin(), at_distance.end(), 0);
    Best best(request.top);
    int limit = bits;  // a greater distance cannot enter the best
    const int32_t marked_begin = request.marked_start[q], marked_end = request.marked_start[q + 1];
    int32_t m = marked_begin, x = request.excluded_start[q];
    const int32_t excluded_end = request.excluded_start[q + 1];
    for (int32_t row = 0; row < request.gallery_count; row++) {
      if (x < excluded_end && request.excluded[x] == row) {
        x++;
        continue;
      }
      const int distance =
          Hamming(code, gallery + static_cast<size_t>(row) * request.dim, request.dim);
      if (m < marked_end && request.marked[m] == row) {
        result.scores[m] = static_cast<double>(-distance);
        result.tied_before[m] = at_distance[distance];
        m++;
      } else {
        at_distance[distance]++;
      }
      if (distance <= limit && request.top > 0) {
        best.Offer(static_cast<double>(-distance), row);
        limit = best.floor() == -kInfinity ? bits : static_cast<int>(-best.floor());
      }
    }
    std::vector<int32_t> nearer(bits + 2, 0);  // unmarked rows nearer than a distance
    for (int d = 0; d <= bits; d++) nearer[d + 1] = nearer[d] + at_distance[d];
    for (int32_t i = marked_begin; i < marked_end; i++) {
      const int distance = static_cast<int>(-result.scores[i]);
      result.above[i] = nearer[distance];
      result.tied[i] = at_distance[distance];
    }
    const size_t at = static_cast<size_t>(q) * request.top;
    best.Write(result.top_scores.data() + at, result.top_rows.data() + at);
  }
}

// While we run threads of our own, OpenBLAS must not start more. Calls may overlap: the first
// changes, the last restores.
class OneBlasThread {
 public:
  OneBlasThread() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (users_++ == 0 && openblas_set_num_threads && openblas_get_num_threads) {
      before_ = openblas_get_num_threads();
      openblas_set_num_threads(1);
    }
  }
  ~OneBlasThread() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--users_ == 0 && before_ > 0) openblas_set_num_threads(before_);
  }

 private:
  static std::mutex mutex_;
  static int users_, before_;
};
std::mutex OneBlasThread::mutex_;
int OneBlasThread::users_ = 0;
int OneBlasThread::before_ = 0;

}  // namespace

void Rank(const RankRequest& request, RankResult& result) {
  const size_t marked = request.marked_start[request.query_count];
  const size_t top = static_cast<size_t>(request.query_count) * request.top;
  result.scores.resize(marked);
  result.above.resize(marked);
  result.tied.resize(marked);
  result.tied_before.resize(marked);
  result.top_scores.resize(top);
  result.top_rows.resize(top);
  const OneBlasThread guard;
  const int threads = std::max(1, std::min(request.threads, request.query_count));
  std::vector<std::exception_ptr> failures(threads);
  const auto work = [&](int t) {
    const int begin = static_cast<int>(static_cast<int64_t>(request.query_count) * t / threads);
    const int end = static_cast<int>(static_cast<int64_t>(request.query_count) * (t + 1) / threads);
    try {
      (request.codes ? RankCodes : RankVectors)(request, begin, end, result);
    } catch (...) {
      failures[t] = std::current_exception();
    }
  };
  std::vector<std::thread> workers;
  int started = 1;  // share 0 is this thread's own
  try {
    for (; started < threads; started++) workers.emplace_back(work, started);
  } catch (const std::system_error&) {
    // No more threads to be had: this one does their shares.
  }
  work(0);
  for (int t = started; t < threads; t++) work(t);
  for (std::thread& worker : workers) worker.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}
