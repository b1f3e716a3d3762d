package io.github.loragraph.lora;

import io.github.loragraph.onnx.Node;
import java.util.Map;
import java.util.Set;

/**
 * Which inputs of an operator are parameters, where neither their names nor their types tell:
 * operators with quantized weights, and those into which ONNX Runtime's optimizer fuses several. By
 * the operators' specifications in the ONNX standard and in ONNX Runtime's documentation of its
 * contributed operators. Scales and zero points are none.
 */
final class WeightInputs {
  private static final Map<String, Set<Integer>> STANDARD =
      Map.ofEntries(
          Map.entry("Conv", Set.of(1, 2)),
          Map.entry("ConvTranspose", Set.of(1, 2)),
          Map.entry("ConvInteger", Set.of(1)),
          Map.entry("QLinearConv", Set.of(3, 8)),
          Map.entry("MatMulInteger", Set.of(1)),
          Map.entry("QLinearMatMul", Set.of(3)),
          Map.entry("DequantizeLinear", Set.of(0)),
          Map.entry("LSTM", Set.of(1, 2, 3)),
          Map.entry("GRU", Set.of(1, 2, 3)),
          Map.entry("RNN", Set.of(1, 2, 3)),
          Map.entry("Gather", Set.of(0)),
          Map.entry("LayerNormalization", Set.of(1, 2)),
          Map.entry("RMSNormalization", Set.of(1)),
          Map.entry("GroupNormalization", Set.of(1, 2)),
          Map.entry("InstanceNormalization", Set.of(1, 2)),
          Map.entry("BatchNormalization", Set.of(1, 2)),
          // Written into the standard operator set, where they are not defined.
          Map.entry("SimplifiedLayerNormalization", Set.of(1)),
          Map.entry("FusedMatMul", Set.of(0, 1)));

  private static final Map<String, Set<Integer>> MICROSOFT =
      Map.ofEntries(
          Map.entry("DynamicQuantizeMatMul", Set.of(1, 4)),
          Map.entry("MatMulIntegerToFloat", Set.of(1, 6)),
          Map.entry("MatMulInteger16", Set.of(1)),
          Map.entry("MatMulNBits", Set.of(1, 5)),
          Map.entry("MatMulBnb4", Set.of(1)),
          Map.entry("MatMulFpQ4", Set.of(1)),
          Map.entry("QGemm", Set.of(3, 6)),
          Map.entry("QLinearConv", Set.of(3, 8)),
          Map.entry("Attention", Set.of(1, 2)),
          Map.entry("QAttention", Set.of(1, 2)),
          Map.entry("PackedAttention", Set.of(1, 2)),
          Map.entry("MultiHeadAttention", Set.of(3)),
          Map.entry("FusedMatMul", Set.of(0, 1)),
          Map.entry("TransposeMatMul", Set.of(0, 1)),
          Map.entry("FusedMatMulActivation", Set.of(0, 1)),
          Map.entry("FusedGemm", Set.of(1, 2)),
          Map.entry("GemmFastGelu", Set.of(1, 2)),
          Map.entry("GemmFloat8", Set.of(1, 2)),
          Map.entry("FusedConv", Set.of(1, 2)),
          Map.entry("NhwcConv", Set.of(1, 2)),
          Map.entry("BiasGelu", Set.of(1)),
          Map.entry("FastGelu", Set.of(1)),
          Map.entry("BiasSoftmax", Set.of()),
          Map.entry("LayerNormalization", Set.of(1, 2)),
          Map.entry("SimplifiedLayerNormalization", Set.of(1)),
          Map.entry("SkipLayerNormalization", Set.of(2, 3, 4)),
          Map.entry("SkipSimplifiedLayerNormalization", Set.of(2, 3)),
          Map.entry("EmbedLayerNormalization", Set.of(2, 3, 4, 5, 6)),
          Map.entry("QEmbedLayerNormalization", Set.of(2, 3, 4, 5, 6)),
          Map.entry("GatherBlockQuantized", Set.of(0)),
          Map.entry("DequantizeLinear", Set.of(0)),
          Map.entry("DynamicQuantizeLSTM", Set.of(1, 2, 3)),
          Map.entry("MoE", Set.of(2, 3, 4, 5, 6, 7)),
          Map.entry("QMoE", Set.of(2, 4, 5, 7, 8, 10)));

  private WeightInputs() {}

  /** Whether an input of a node is a parameter, whatever it is called. */
  static boolean isWeight(Node node, int input) {
    return of(node).contains(input);
  }

  private static Set<Integer> of(Node node) {
    Map<String, Set<Integer>> table =
        node.domain().isEmpty()
            ? STANDARD
            : node.domain().equals("com.microsoft") ? MICROSOFT : Map.of();
    return table.getOrDefault(node.opType(), Set.of());
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
