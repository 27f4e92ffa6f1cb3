#include "resize.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

// The same arithmetic as src/pipeline/image/resize-rows.ts, which cites its source: OpenCV 4.x as
// built for SSE2. Results must be equal to the bit, so that this file needs -ffp-contract=off: a
// fused multiply-add would round once where OpenCV rounds twice.
namespace {

typedef float Float4 __attribute__((vector_size(16)));

inline Float4 LoadFloat4(const float* from) {
  Float4 value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Positions and weights along one axis, as resize-taps.ts computes them.
struct Taps {
  const int32_t* first;
  const int16_t* weights;
};

// What is resized to what. `count` is 2 for linear, 4 for cubic.
struct Job {
  const uint8_t* source;
  size_t stride;
  size_t width, height, targetWidth, targetHeight;
  Taps across, down;
  int count;
};

// Source pixels that a tap may lie beyond either edge.
constexpr size_t kMargin = 2;

// One source row as floats, the edge pixels repeated beyond both ends, so that no tap needs a test.
void SpreadRow(const uint8_t* row, size_t width, float* padded) {
  float* middle = padded + kMargin * 3;
  for (size_t i = 0; i < width * 3; i++) middle[i] = row[i];
  for (size_t i = 0; i < kMargin * 3; i++) {
    padded[i] = row[i % 3];
    middle[width * 3 + i] = row[(width - 1) * 3 + i % 3];
  }
}

// Horizontal pass. A pixel's three channels are three lanes of a vector; the fourth is overwritten
// by the pixel after it. All values are integers below 2^24, which floats hold exactly.
template <int kCount>
void Across(const float* padded, const int32_t* offsets, const float* weights, size_t targetWidth,
            float* out) {
  for (size_t x = 0; x < targetWidth; x++) {
    const float* pixel = padded + offsets[x];
    Float4 sum = LoadFloat4(pixel) * weights[x * kCount];
    for (int k = 1; k < kCount; k++) sum += LoadFloat4(pixel + 3 * k) * weights[x * kCount + k];
    std::memcpy(out + x * 3, &sum, sizeof sum);
  }
}

void DownLinear(const float* const* rows, const int16_t* weights, size_t lanes, uint8_t* out) {
  const float *upper = rows[0], *lower = rows[1];
  const int32_t w0 = weights[0], w1 = weights[1];
  for (size_t x = 0; x < lanes; x++) {
    const int32_t a = static_cast<int32_t>(upper[x]) >> 4, b = static_cast<int32_t>(lower[x]) >> 4;
    out[x] = static_cast<uint8_t>((((w0 * a) >> 16) + ((w1 * b) >> 16) + 2) >> 2);
  }
}

void DownCubic(const float* const* rows, const int16_t* weights, size_t lanes, uint8_t* out) {
  const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
  constexpr float kScale = 1.0f / (1 << 22);
  const float w0 = weights[0] * kScale, w1 = weights[1] * kScale, w2 = weights[2] * kScale,
              w3 = weights[3] * kScale;
  const size_t grouped = lanes & ~size_t{7};
  for (size_t x = 0; x < grouped; x++) {
    const float sum = r0[x] * w0 + (r1[x] * w1 + (r2[x] * w2 + r3[x] * w3));
    // Adding 1.5 x 2^23 leaves the rounded sum, halves to even, in the low bits.
    const float shifted = sum + 12582912.0f;
    int32_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    const int32_t rounded = bits - 0x4B400000;
    out[x] = static_cast<uint8_t>(std::min(std::max(rounded, 0), 255));
  }
  for (size_t x = grouped; x < lanes; x++) {
    int32_t sum = 1 << 21;
    for (int k = 0; k < 4; k++) sum += static_cast<int32_t>(rows[k][x]) * weights[k];
    out[x] = static_cast<uint8_t>(std::min(std::max(sum >> 22, 0), 255));
  }
}

// The one case where OpenCV turns linear into area interpolation.
bool IsHalving(const Job& job) {
  return job.count == 2 && job.width == 2 * job.targetWidth && job.height == 2 * job.targetHeight;
}

void HalveRow(const uint8_t* upper, const uint8_t* lower, size_t targetWidth, uint8_t* out) {
  for (size_t x = 0; x < targetWidth; x++) {
    for (size_t c = 0; c < 3; c++) {
      const size_t i = x * 6 + c;
      out[x * 3 + c] =
          static_cast<uint8_t>((upper[i] + upper[i + 3] + lower[i] + lower[i + 3] + 2) >> 2);
    }
  }
}

// Calls sink(row, y) with each finished row of interleaved RGB.
template <int kCount, typename Sink>
void ResizeRows(const Job& job, Sink sink) {
  const size_t lanes = job.targetWidth * 3;
  std::vector<uint8_t> row(lanes);
  std::vector<float> padded((job.width + 2 * kMargin) * 3 + 1);
  std::vector<float> ring[kCount];
  for (auto& r : ring) r.resize(lanes + 1);
  std::vector<int32_t> offsets(job.targetWidth);
  for (size_t x = 0; x < job.targetWidth; x++)
    offsets[x] = (job.across.first[x] + static_cast<int32_t>(kMargin)) * 3;
  const std::vector<float> weights(job.across.weights,
                                   job.across.weights + job.targetWidth * kCount);

  int64_t held[kCount];
  std::fill(held, held + kCount, -1);
  const float* taken[kCount];
  const int64_t last = static_cast<int64_t>(job.height) - 1;
  for (size_t y = 0; y < job.targetHeight; y++) {
    for (int k = 0; k < kCount; k++) {
      const int64_t sourceRow = std::min(std::max<int64_t>(job.down.first[y] + k, 0), last);
      const size_t slot = static_cast<size_t>(sourceRow % kCount);
      if (held[slot] != sourceRow) {
        SpreadRow(job.source + static_cast<size_t>(sourceRow) * job.stride, job.width,
                  padded.data());
        Across<kCount>(padded.data(), offsets.data(), weights.data(), job.targetWidth,
                       ring[slot].data());
        held[slot] = sourceRow;
      }
      taken[k] = ring[slot].data();
    }
    if constexpr (kCount == 4)
      DownCubic(taken, job.down.weights + y * 4, lanes, row.data());
    else
      DownLinear(taken, job.down.weights + y * 2, lanes, row.data());
    sink(row.data(), y);
  }
}

template <typename Sink>
void Resize(const Job& job, Sink sink) {
  if (IsHalving(job)) {
    std::vector<uint8_t> row(job.targetWidth * 3);
    for (size_t y = 0; y < job.targetHeight; y++) {
      const uint8_t* upper = job.source + 2 * y * job.stride;
      HalveRow(upper, upper + job.stride, job.targetWidth, row.data());
      sink(row.data(), y);
    }
  } else if (job.count == 4) {
    ResizeRows<4>(job, sink);
  } else {
    ResizeRows<2>(job, sink);
  }
}

// ---- The door: everything is checked here, since a wrong number would read or write foreign
// memory. ----

constexpr double kMaxSide = 1 << 20;

[[noreturn]] void Refuse(Napi::Env env, const std::string& why) {
  throw Napi::RangeError::New(env, "resize: " + why);
}

size_t Count(const Napi::CallbackInfo& info, size_t i, const char* name, double least,
             double most) {
  const double value = info[i].IsNumber() ? info[i].As<Napi::Number>().DoubleValue() : -1;
  if (!(value >= least && value <= most) ||
      value != static_cast<double>(static_cast<int64_t>(value))) {
    Refuse(info.Env(), std::string(name) + " must be an integer from " +
                           std::to_string(static_cast<int64_t>(least)) + " to " +
                           std::to_string(static_cast<int64_t>(most)));
  }
  return static_cast<size_t>(value);
}

// A typed array of exactly this type, as pointer and length.
template <typename T>
std::pair<T*, size_t> View(const Napi::CallbackInfo& info, size_t i, const char* name,
                           napi_typedarray_type type) {
  const Napi::Value value = info[i];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw Napi::TypeError::New(
        info.Env(), std::string("resize: ") + name + " is a typed array of the wrong kind");
  }
  auto array = value.As<Napi::TypedArrayOf<T>>();
  return {array.Data(), array.ElementLength()};
}

void CheckTaps(const Napi::CallbackInfo& info, const int32_t* first, size_t count, size_t target,
               size_t source) {
  const int64_t least = -static_cast<int64_t>(kMargin);
  const int64_t most = static_cast<int64_t>(source + kMargin) - static_cast<int64_t>(count);
  for (size_t i = 0; i < target; i++) {
    if (first[i] < least || first[i] > most) Refuse(info.Env(), "a tap lies outside the picture");
  }
}

// Arguments 0 to 10, which both functions share.
Job ReadJob(const Napi::CallbackInfo& info) {
  const auto [data, bytes] = View<uint8_t>(info, 0, "data", napi_uint8_array);
  Job job;
  const size_t offset = Count(info, 1, "offset", 0, 9007199254740991.0);
  job.stride = Count(info, 2, "stride", 3, 3 * kMaxSide);
  job.width = Count(info, 3, "width", 1, kMaxSide);
  job.height = Count(info, 4, "height", 1, kMaxSide);
  job.targetWidth = Count(info, 5, "targetWidth", 1, kMaxSide);
  job.targetHeight = Count(info, 6, "targetHeight", 1, kMaxSide);
  if (offset + (job.height - 1) * job.stride + job.width * 3 > bytes)
    Refuse(info.Env(), "the rectangle is larger than the data");
  job.source = data + offset;
  const auto [acrossFirst, acrossLength] = View<int32_t>(info, 7, "acrossFirst", napi_int32_array);
  const auto [acrossWeights, acrossWeightsLength] =
      View<int16_t>(info, 8, "acrossWeights", napi_int16_array);
  const auto [downFirst, downLength] = View<int32_t>(info, 9, "downFirst", napi_int32_array);
  const auto [downWeights, downWeightsLength] =
      View<int16_t>(info, 10, "downWeights", napi_int16_array);
  const size_t count = acrossWeightsLength / job.targetWidth;
  const bool fits = (count == 2 || count == 4) && acrossLength == job.targetWidth &&
                    acrossWeightsLength == job.targetWidth * count &&
                    downLength == job.targetHeight && downWeightsLength == job.targetHeight * count;
  if (!fits) Refuse(info.Env(), "taps do not fit the target size");
  CheckTaps(info, acrossFirst, count, job.targetWidth, job.width);
  CheckTaps(info, downFirst, count, job.targetHeight, job.height);
  job.count = static_cast<int>(count);
  job.across = {acrossFirst, acrossWeights};
  job.down = {downFirst, downWeights};
  return job;
}

// resizeToBytes(job x 11, out: Uint8Array): undefined
void ResizeToBytes(const Napi::CallbackInfo& info) {
  const Job job = ReadJob(info);
  const auto [out, length] = View<uint8_t>(info, 11, "out", napi_uint8_array);
  const size_t rowBytes = job.targetWidth * 3;
  if (length != rowBytes * job.targetHeight) Refuse(info.Env(), "out has the wrong size");
  uint8_t* const target = out;
  Resize(job,
         [=](const uint8_t* row, size_t y) { std::memcpy(target + y * rowBytes, row, rowBytes); });
}

// resizeToTensor(job x 11, table: Float32Array, reversed: boolean, interleaved: boolean, out:
// Float32Array, at: number): undefined
void ResizeToTensor(const Napi::CallbackInfo& info) {
  const Job job = ReadJob(info);
  const auto [table, tableLength] = View<float>(info, 11, "table", napi_float32_array);
  if (tableLength != 3 * 256) Refuse(info.Env(), "table must hold 3 x 256 floats");
  const bool reversed = info[12].ToBoolean(), interleaved = info[13].ToBoolean();
  const auto [out, length] = View<float>(info, 14, "out", napi_float32_array);
  const size_t at = Count(info, 15, "at", 0, 9007199254740991.0);
  const size_t width = job.targetWidth, plane = width * job.targetHeight;
  if (at + plane * 3 > length) Refuse(info.Env(), "out has no room for the tensor");

  const float *t0 = table, *t1 = table + 256, *t2 = table + 512;
  float* const target = out + at;
  const size_t first = reversed ? 2 : 0, third = reversed ? 0 : 2;
  if (interleaved) {
    Resize(job, [=](const uint8_t* row, size_t y) {
      float* to = target + y * width * 3;
      for (size_t x = 0; x < width; x++, row += 3, to += 3) {
        to[0] = t0[row[first]];
        to[1] = t1[row[1]];
        to[2] = t2[row[third]];
      }
    });
  } else {
    Resize(job, [=](const uint8_t* row, size_t y) {
      float *p0 = target + y * width, *p1 = p0 + plane, *p2 = p1 + plane;
      for (size_t x = 0; x < width; x++, row += 3) {
        p0[x] = t0[row[first]];
        p1[x] = t1[row[1]];
        p2[x] = t2[row[third]];
      }
    });
  }
}

}  // namespace

void RegisterResize(Napi::Env env, Napi::Object exports) {
  exports.Set("resizeToBytes", Napi::Function::New(env, ResizeToBytes, "resizeToBytes"));
  exports.Set("resizeToTensor", Napi::Function::New(env, ResizeToTensor, "resizeToTensor"));
}
