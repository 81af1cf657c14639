// The exceptions of GoNeuron: one hierarchy under Error, itself a std::exception.
// Every message names where (layer, file:line), what was found, what was expected, and the fix.
#pragma once

#include <exception>
#include <string>

namespace goneuron {

class Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(static_cast<std::string&&>(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// Shapes that do not fit together.
class ShapeError : public Error {
  using Error::Error;
};
/// A dtype where another one is needed.
class TypeError : public Error {
  using Error::Error;
};
/// A model, an option or a call order that makes no sense.
class GraphError : public Error {
  using Error::Error;
};
/// An unknown device, or one that failed.
class DeviceError : public Error {
  using Error::Error;
};
/// Memory that cannot be had.
class OutOfMemory : public Error {
  using Error::Error;
};
/// A file that is missing, truncated or not what it says it is.
class FormatError : public Error {
  using Error::Error;
};
/// Values in the data that cannot be trained on: labels out of range, NaN, lengths that differ.
class DataError : public Error {
  using Error::Error;
};

}  // namespace goneuron
