// Symbol: a value of the graph that is not computed yet; what layers, losses and metrics are made
// of. Symbols are immutable and cheap to copy; arithmetic on them broadcasts as in NumPy.
#pragma once

#include "goneuron/site.h"
#include "goneuron/tensor.h"

namespace goneuron {

struct Expr;

class Symbol {
 public:
  Symbol() = default;
  Symbol(Shared<const Expr> expr, int output)
      : expr_(static_cast<Shared<const Expr>&&>(expr)), output_(output) {}

  /// With the batch as first dimension: [Any, 28, 28, 1].
  const Shape& shape() const;
  DType dtype() const;

  explicit operator bool() const { return expr_ != nullptr; }
  const Shared<const Expr>& expr() const { return expr_; }
  int output() const { return output_; }
  friend bool operator==(const Symbol& a, const Symbol& b) {
    return a.expr_ == b.expr_ && a.output_ == b.output_;
  }

 private:
  Shared<const Expr> expr_;
  int output_ = 0;
};

/// The right operand of an arithmetic operator: a symbol or a number, with the line it stands on.
struct Operand {
  Operand(const Symbol& symbol, Site site = Site::here());  // NOLINT: converts on purpose
  Operand(double number, Site site = Site::here());         // NOLINT: converts on purpose
  Symbol symbol;
  Site site;
};

Symbol operator+(const Symbol& a, const Operand& b);
Symbol operator-(const Symbol& a, const Operand& b);
Symbol operator*(const Symbol& a, const Operand& b);
Symbol operator/(const Symbol& a, const Operand& b);
Symbol operator+(double a, const Operand& b);
Symbol operator-(double a, const Operand& b);
Symbol operator*(double a, const Operand& b);
Symbol operator/(double a, const Operand& b);
Symbol operator-(const Symbol& a);

/// Functions on symbols, for custom layers, losses and metrics. Element by element:
Symbol exp(const Symbol& x, Site site = Site::here());
Symbol log(const Symbol& x, Site site = Site::here());
Symbol sqrt(const Symbol& x, Site site = Site::here());
Symbol square(const Symbol& x, Site site = Site::here());
Symbol abs(const Symbol& x, Site site = Site::here());
Symbol maximum(const Symbol& a, const Operand& b);
Symbol minimum(const Symbol& a, const Operand& b);
/// Over `axes` (all but the batch when empty): sum and mean. Axes count the batch as 0; negative
/// ones count from the end. `keep` leaves axes of length 1.
Symbol sum(const Symbol& x, const std::vector<int>& axes = {}, bool keep = false,
           Site site = Site::here());
Symbol mean(const Symbol& x, const std::vector<int>& axes = {}, bool keep = false,
            Site site = Site::here());
/// [.., m, k] x [k, n] -> [.., m, n]: one matrix for all; or [.., m, k] x [.., k, n] -> [.., m, n]:
/// a product for each of the leading indices, in which both agree.
Symbol matmul(const Symbol& a, const Symbol& b, Site site = Site::here());
/// Elements [begin, end) of `axis`.
Symbol slice(const Symbol& x, int axis, i64 begin, i64 end, Site site = Site::here());
/// A constant with the tensor's values.
Symbol constant(const Tensor& value, Site site = Site::here());

}  // namespace goneuron
