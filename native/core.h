#pragma once
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>

/** The index inside any id map, transform and refiner. */
inline faiss::Index* CoreOf(faiss::Index* index) {
  for (;;) {
    if (auto* map = dynamic_cast<faiss::IndexIDMap*>(index))
      index = map->index;
    else if (auto* chain = dynamic_cast<faiss::IndexPreTransform*>(index))
      index = chain->index;
    else if (auto* refine = dynamic_cast<faiss::IndexRefine*>(index))
      index = refine->base_index;
    else
      return index;
  }
}

inline faiss::IndexBinary* CoreOf(faiss::IndexBinary* index) {
  while (auto* map = dynamic_cast<faiss::IndexBinaryIDMap*>(index)) index = map->index;
  return index;
}

/** The inverted lists of an IVF index, or null. */
inline faiss::InvertedLists* ListsOf(faiss::Index* index) {
  auto* ivf = dynamic_cast<faiss::IndexIVF*>(CoreOf(index));
  return ivf ? ivf->invlists : nullptr;
}

inline faiss::InvertedLists* ListsOf(faiss::IndexBinary* index) {
  auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(CoreOf(index));
  return ivf ? ivf->invlists : nullptr;
}
