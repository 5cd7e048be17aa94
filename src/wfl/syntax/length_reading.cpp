#include "wfl/syntax/length_reading.h"

namespace wfl::syntax {
namespace {

bool calculates(BinaryOp op) {
  return op == BinaryOp::Plus || op == BinaryOp::Minus || op == BinaryOp::Times || op == BinaryOp::Divide ||
         op == BinaryOp::Modulo;
}

}  // namespace

const BinaryExpr* length_of_sum(const CallExpr& call) {
  if (call.form != CallForm::Of || call.arguments.size() != 1) return nullptr;
  if (call.name.text != "length" && call.name.text != "size") return nullptr;
  const auto* binary = try_as<BinaryExpr>(call.arguments.front().value);
  while (binary != nullptr && calculates(binary->op)) {
    const auto* left = try_as<BinaryExpr>(binary->left);
    if (left != nullptr && calculates(left->op)) {
      binary = left;
      continue;
    }
    if (binary->op == BinaryOp::Plus && try_as<NumberExpr>(binary->right) == nullptr) return nullptr;
    return binary;
  }
  return nullptr;
}

}  // namespace wfl::syntax
