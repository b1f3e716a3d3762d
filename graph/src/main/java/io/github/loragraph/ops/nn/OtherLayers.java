package io.github.loragraph.ops.nn;

import static io.github.loragraph.ops.KnownOperator.standard;
import static io.github.loragraph.ops.Trait.CONVOLUTION;
import static io.github.loragraph.ops.Trait.KEEPS_SHAPE;
import static io.github.loragraph.ops.Trait.LAST_AXIS;
import static io.github.loragraph.ops.Trait.NORMALIZATION;
import static io.github.loragraph.ops.Trait.POOLING;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/** Layers through which no gradient goes. */
@AutoService(OperatorFamily.class)
public final class OtherLayers implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        standard("Conv", CONVOLUTION).weights(1, 2),
        standard("ConvTranspose").weights(1, 2),
        standard("AveragePool", POOLING),
        standard("GlobalAveragePool", POOLING),
        standard("GroupNormalization", KEEPS_SHAPE, NORMALIZATION)
            .weights(1, 2)
            .scaleAndShift(1, 2)
            .since(18),
        standard("InstanceNormalization", KEEPS_SHAPE, NORMALIZATION)
            .weights(1, 2)
            .scaleAndShift(1, 2),
        standard("RMSNormalization", KEEPS_SHAPE, LAST_AXIS, NORMALIZATION)
            .weights(1)
            .scaleAndShift(1)
            .since(23),
        standard("Attention").since(23),
        standard("RotaryEmbedding").since(23),
        standard("Swish").since(24),
        standard("TensorScatter").since(24));
  }
}
