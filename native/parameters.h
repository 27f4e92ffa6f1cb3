#pragma once
#include <functional>
#include <string>
#include <vector>

#include <faiss/Index.h>
#include <faiss/IndexBinary.h>

/** A run-time parameter: the name that an index answers to, with a way to read and write it. */
struct Parameter {
  std::string name;
  double largest;
  std::function<double()> get;
  std::function<void(double)> set;
};

/** Those of a real-valued or of a binary index (the other is null), through id maps and transforms.
 */
std::vector<Parameter> ParametersOf(faiss::Index* real, faiss::IndexBinary* binary);
