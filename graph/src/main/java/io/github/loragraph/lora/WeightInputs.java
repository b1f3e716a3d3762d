package io.github.loragraph.lora;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import java.util.Set;

/**
 * Which inputs of a node are parameters, where neither their names nor their types tell: those of
 * operators with quantized weights, and of those into which ONNX Runtime's optimizer fuses several.
 */
final class WeightInputs {
  private WeightInputs() {}

  /** Whether an input of a node is a parameter, whatever it is called. */
  static boolean isWeight(Node node, int input) {
    Operator operator = Operators.all().of(node);
    return operator != null && operator.weights().contains(input);
  }

  /**
   * The shape of the matrix in a tensor.
   *
   * @param dims the tensor's own
   */
  static long[] unpacked(Node node, int input, long[] dims) {
    boolean packed = node.is("MatMulNBits") || isMicrosoft(node, "MatMulNBits", "MatMulBnb4");
    if (packed && input == 1 && node.hasAttribute("N") && node.hasAttribute("K")) {
      return new long[] {node.attribute("N", 0L), node.attribute("K", 0L)};
    }
    return dims;
  }

  private static boolean isMicrosoft(Node node, String... operators) {
    return node.domain().equals("com.microsoft") && Set.of(operators).contains(node.opType());
  }
}
