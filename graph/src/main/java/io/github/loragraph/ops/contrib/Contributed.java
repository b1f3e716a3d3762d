package io.github.loragraph.ops.contrib;

import static io.github.loragraph.ops.KnownOperator.contributed;
import static io.github.loragraph.ops.Trait.FUSED;
import static io.github.loragraph.ops.Trait.FUSED_PRODUCT;
import static io.github.loragraph.ops.Trait.KEEPS_SHAPE;
import static io.github.loragraph.ops.Trait.LAST_AXIS;
import static io.github.loragraph.ops.Trait.MATRIX_PRODUCT;
import static io.github.loragraph.ops.Trait.NORMALIZATION;
import static io.github.loragraph.ops.Trait.QUANTIZED_PRODUCT;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/**
 * Operators of ONNX Runtime's own, by its documentation of contributed operators: those that its
 * optimizer and its quantizers write, and the kernels that gradients are written with. None has a
 * gradient. Scales and zero points of quantized numbers are no weights.
 */
@AutoService(OperatorFamily.class)
public final class Contributed implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        // Products with quantized weights.
        contributed("DynamicQuantizeMatMul", QUANTIZED_PRODUCT).weights(1, 4),
        contributed("MatMulIntegerToFloat", QUANTIZED_PRODUCT).weights(1, 6),
        contributed("MatMulInteger16", QUANTIZED_PRODUCT).weights(1),
        contributed("MatMulNBits", QUANTIZED_PRODUCT).weights(1, 5),
        contributed("MatMulBnb4", QUANTIZED_PRODUCT).weights(1),
        contributed("MatMulFpQ4", QUANTIZED_PRODUCT).weights(1),
        contributed("QGemm", QUANTIZED_PRODUCT).weights(3, 6),
        contributed("QLinearConv", QUANTIZED_PRODUCT).weights(3, 8),
        contributed("QAttention", QUANTIZED_PRODUCT).weights(1, 2),
        contributed("QOrderedMatMul", QUANTIZED_PRODUCT),
        contributed("QOrderedAttention", QUANTIZED_PRODUCT),
        contributed("GemmFloat8", QUANTIZED_PRODUCT).weights(1, 2),
        contributed("DynamicQuantizeLSTM", QUANTIZED_PRODUCT).weights(1, 2, 3),
        contributed("QMoE", QUANTIZED_PRODUCT).weights(2, 4, 5, 7, 8, 10),
        // Products with what stood around them.
        contributed("FusedMatMul", FUSED_PRODUCT, MATRIX_PRODUCT).weights(0, 1),
        contributed("TransposeMatMul", FUSED_PRODUCT, MATRIX_PRODUCT).weights(0, 1),
        contributed("FusedMatMulActivation", FUSED_PRODUCT, MATRIX_PRODUCT).weights(0, 1),
        contributed("FusedGemm", FUSED_PRODUCT, MATRIX_PRODUCT).weights(1, 2),
        contributed("GemmFastGelu", FUSED_PRODUCT, MATRIX_PRODUCT).weights(1, 2),
        contributed("Attention", FUSED_PRODUCT).weights(1, 2),
        contributed("PackedAttention", FUSED_PRODUCT).weights(1, 2),
        contributed("LongformerAttention", FUSED_PRODUCT),
        contributed("FusedConv", FUSED_PRODUCT).weights(1, 2),
        contributed("NhwcConv", FUSED_PRODUCT).weights(1, 2),
        contributed("MoE", FUSED_PRODUCT).weights(2, 3, 4, 5, 6, 7),
        contributed("MultiHeadAttention", FUSED).weights(3),
        // Others.
        contributed("BiasGelu", FUSED, KEEPS_SHAPE).weights(1),
        contributed("FastGelu", FUSED, KEEPS_SHAPE).weights(1),
        contributed("BiasSoftmax", FUSED, KEEPS_SHAPE),
        contributed("LayerNormalization", FUSED, NORMALIZATION).weights(1, 2).scaleAndShift(1, 2),
        contributed("SimplifiedLayerNormalization", FUSED, KEEPS_SHAPE, LAST_AXIS, NORMALIZATION)
            .weights(1)
            .scaleAndShift(1),
        // The second input is the residual, and the last one a bias.
        contributed("SkipLayerNormalization", FUSED, NORMALIZATION)
            .weights(2, 3, 4)
            .scaleAndShift(2, 3, 4),
        contributed("SkipSimplifiedLayerNormalization", FUSED, NORMALIZATION)
            .weights(2, 3)
            .scaleAndShift(2, 3),
        contributed("EmbedLayerNormalization", FUSED, NORMALIZATION)
            .weights(2, 3, 4, 5, 6)
            .scaleAndShift(5, 6),
        contributed("QEmbedLayerNormalization", FUSED).weights(2, 3, 4, 5, 6),
        contributed("GatherBlockQuantized").weights(0),
        contributed("DequantizeLinear").weights(0),
        // Kernels of the training build.
        contributed("ReluGrad", KEEPS_SHAPE),
        contributed("SigmoidGrad", KEEPS_SHAPE),
        contributed("TanhGrad", KEEPS_SHAPE));
  }
}
