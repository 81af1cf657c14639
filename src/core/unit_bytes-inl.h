// Bytes as numbers in [0, 1], a vector at a time. Included by unit_bytes.cpp and conv_pool.cpp, in
// a namespace of each SIMD target.

/// unit_of() of as many bytes as D has lanes.
template <class D>
HWY_INLINE hn::Vec<D> load_units(D d, const std::uint8_t* from) {
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint8_t, D> d8;
  const auto v = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, from)));
  return hn::Add(hn::Mul(v, hn::Set(d, unit_high)), hn::Mul(v, hn::Set(d, unit_low)));
}
