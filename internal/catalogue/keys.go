package catalogue

import (
	"cmp"
	"math/bits"
	"slices"
)

// keyIndex maps keys of 64 bits to notices of a segment. Keys are scattered, so
// that the place of one among all is known nearly from its leading bits.
type keyIndex struct {
	keys  []uint64 // scattered, in order
	docs  []uint32
	from  []uint32 // by leading bits: where keys that begin so begin
	shift uint8
}

// keyed is one entry of a keyIndex.
type keyed struct {
	key uint64
	doc uint32
}

// scatter spreads keys over all numbers, and no two to the same one: the
// finaliser of SplitMix64. gather undoes it.
func scatter(key uint64) uint64 {
	key = (key ^ key>>30) * 0xbf58476d1ce4e5b9
	key = (key ^ key>>27) * 0x94d049bb133111eb
	return key ^ key>>31
}

func gather(key uint64) uint64 {
	key = (key ^ key>>31 ^ key>>62) * 0x319642b2d24d8ec3
	key = (key ^ key>>27 ^ key>>54) * 0x96de1b173f119089
	return key ^ key>>30 ^ key>>60
}

func newKeyIndex(list []keyed) keyIndex {
	for i := range list {
		list[i].key = scatter(list[i].key)
	}
	slices.SortFunc(list, func(a, b keyed) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.doc, b.doc)) })
	list = slices.Compact(list)
	leading := bits.Len(uint(len(list)))
	x := keyIndex{keys: make([]uint64, len(list)), docs: make([]uint32, len(list)), shift: uint8(64 - leading)}
	if len(list) == 0 {
		return x
	}
	x.from = make([]uint32, 1<<leading+1)
	for i, k := range list {
		x.keys[i], x.docs[i] = k.key, k.doc
		x.from[k.key>>x.shift+1] = uint32(i + 1)
	}
	for i := range x.from[1:] { // what nothing begins with begins where the next does
		x.from[i+1] = max(x.from[i], x.from[i+1])
	}
	return x
}

// find returns the notices of a key.
func (x *keyIndex) find(key uint64) []uint32 {
	if len(x.keys) == 0 {
		return nil
	}
	key = scatter(key)
	from, end := x.from[key>>x.shift], x.from[key>>x.shift+1]
	for from < end && x.keys[from] < key {
		from++
	}
	to := from
	for to < end && x.keys[to] == key {
		to++
	}
	return x.docs[from:to]
}

// each calls yield with every key and notice.
func (x *keyIndex) each(yield func(key uint64, doc uint32)) {
	for i, key := range x.keys {
		yield(gather(key), x.docs[i])
	}
}
