#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <faiss/impl/IDSelector.h>
#include <faiss/invlists/InvertedLists.h>

#include "core.h"
#include "index.h"

// What an index knows of ids: the largest, the rows by id, removal, and an id map around an index
// that has none.

/** Calls visit(list, offset, id) for every entry of the inverted lists. */
template <class Visit>
void EachEntry(const faiss::InvertedLists& lists, Visit visit) {
  for (size_t list = 0; list < lists.nlist; list++) {
    const size_t n = lists.list_size(list);
    if (n == 0) continue;
    faiss::InvertedLists::ScopedIds ids(&lists, list);
    for (size_t offset = 0; offset < n; offset++) visit(list, offset, ids[offset]);
  }
}

template <class IndexT>
int64_t LargestIdOf(IndexT* index) {
  int64_t largest = -1;
  if (auto* map = dynamic_cast<faiss::IndexIDMapTemplate<IndexT>*>(index)) {
    for (const auto id : map->id_map) largest = std::max<int64_t>(largest, id);
  } else if (const auto* lists = ListsOf(index)) {
    EachEntry(*lists, [&](size_t, size_t, int64_t id) { largest = std::max(largest, id); });
  } else {
    largest = index->ntotal - 1;
  }
  return largest;
}

/** Rows by position, from an index without id map. */
template <class IndexT, class Component>
void ReconstructPositions(IndexT* index, const std::unordered_multimap<int64_t, int64_t>& wanted,
                          size_t width, Component* rows) {
  if (const auto* lists = ListsOf(index)) {
    auto* ivf = [&] {
      if constexpr (std::is_same_v<IndexT, faiss::Index>)
        return dynamic_cast<faiss::IndexIVF*>(index);
      else
        return dynamic_cast<faiss::IndexBinaryIVF*>(index);
    }();
    if (!ivf)
      throw CodedError("faiss-argument",
                       "this index transforms its vectors and cannot give them back");
    EachEntry(*lists, [&](size_t list, size_t offset, int64_t id) {
      const auto range = wanted.equal_range(id);
      for (auto it = range.first; it != range.second; ++it)
        ivf->reconstruct_from_offset(list, offset, rows + it->second * width);
    });
    return;
  }
  for (const auto& [position, target] : wanted) index->reconstruct(position, rows + target * width);
}

template <class IndexT, class Component>
void ReconstructFrom(IndexT* index, const std::vector<int64_t>& ids, size_t width,
                     Component* rows) {
  std::unordered_multimap<int64_t, int64_t> wanted;  // id or position -> place in the result
  for (size_t i = 0; i < ids.size(); i++) wanted.emplace(ids[i], i);
  std::vector<bool> found(ids.size(), false);
  const auto mark = [&](int64_t id) {
    const auto range = wanted.equal_range(id);
    for (auto it = range.first; it != range.second; ++it) found[it->second] = true;
    return range;
  };
  auto* map = dynamic_cast<faiss::IndexIDMapTemplate<IndexT>*>(index);
  std::unordered_multimap<int64_t, int64_t> positions;
  if (map) {
    for (size_t at = 0; at < map->id_map.size(); at++) {
      const auto range = mark(map->id_map[at]);
      for (auto it = range.first; it != range.second; ++it) positions.emplace(at, it->second);
    }
  } else if (const auto* lists = ListsOf(index)) {
    EachEntry(*lists, [&](size_t, size_t, int64_t id) { mark(id); });
  } else {
    for (const auto id : ids)
      if (id < index->ntotal) mark(id);
  }
  for (size_t i = 0; i < ids.size(); i++) {
    if (!found[i])
      throw CodedError("faiss-argument", "id " + std::to_string(ids[i]) + " is not in the index");
  }
  ReconstructPositions(map ? map->index : index, map ? positions : wanted, width, rows);
}

struct MappedSelector : faiss::IDSelector {
  MappedSelector(const std::vector<int64_t>& id_map, const faiss::IDSelector& selector)
      : id_map(id_map), selector(selector) {}
  bool is_member(int64_t position) const override { return selector.is_member(id_map[position]); }
  const std::vector<int64_t>& id_map;
  const faiss::IDSelector& selector;
};

/**
 * Removal through an id map. Faiss's own (IndexIDMapTemplate::remove_ids) is right only where the
 * inner index renumbers what is left, as Flat does. An IVF keeps the positions that it was given,
 * so that after Faiss's removal they point at the wrong ids, or past the end of the map; and an
 * inner index whose count disagrees ends the process. Here the positions in the inverted lists are
 * renumbered, too.
 */
template <class IndexT>
int64_t RemoveThroughMap(faiss::IndexIDMapTemplate<IndexT>* map,
                         const faiss::IDSelector& selector) {
  const std::vector<int64_t> old_ids(map->id_map.begin(), map->id_map.end());
  const int64_t removed = map->index->remove_ids(MappedSelector(old_ids, selector));
  std::vector<int64_t> new_position(old_ids.size(), -1);
  int64_t kept = 0;
  for (size_t i = 0; i < old_ids.size(); i++) {
    if (selector.is_member(old_ids[i])) continue;
    map->id_map[kept] = old_ids[i];
    new_position[i] = kept++;
  }
  map->id_map.resize(kept);
  map->ntotal = kept;
  if (auto* lists = ListsOf(map->index)) {
    std::vector<int64_t> ids;
    for (size_t list = 0; list < lists->nlist; list++) {
      const size_t n = lists->list_size(list);
      if (n == 0) continue;
      ids.resize(n);
      {
        faiss::InvertedLists::ScopedIds old(lists, list);
        for (size_t i = 0; i < n; i++) ids[i] = new_position[old[i]];
      }
      faiss::InvertedLists::ScopedCodes codes(lists, list);
      lists->update_entries(list, 0, n, ids.data(), codes.get());
    }
  }
  if (auto* map2 = dynamic_cast<faiss::IndexIDMap2Template<IndexT>*>(map))
    map2->construct_rev_map();
  if (map->index->ntotal != kept)
    throw CodedError("faiss-error", "the index under the id map lost count of its vectors");
  return removed;
}

template <class IndexT>
int64_t RemoveFrom(IndexT* index, const std::vector<int64_t>& ids) {
  const faiss::IDSelectorBatch selector(ids.size(), ids.data());
  if (auto* map = dynamic_cast<faiss::IndexIDMapTemplate<IndexT>*>(index))
    return RemoveThroughMap(map, selector);
  return index->remove_ids(selector);
}

/** The index inside an id map that numbers its rows as they stand. */
template <class IndexT>
std::unique_ptr<IndexT> Mapped(std::unique_ptr<IndexT> index) {
  auto map = std::make_unique<faiss::IndexIDMap2Template<IndexT>>();
  // Its constructor takes empty indexes only.
  map->d = index->d;
  map->metric_type = index->metric_type;
  map->is_trained = index->is_trained;
  map->ntotal = index->ntotal;
  if constexpr (std::is_same_v<IndexT, faiss::IndexBinary>) map->code_size = index->code_size;
  map->id_map.resize(index->ntotal);
  for (size_t i = 0; i < map->id_map.size(); i++) map->id_map[i] = i;
  map->construct_rev_map();
  map->index = index.release();
  map->own_fields = true;
  return map;
}
