package io.github.loragraph.ops.quantization;

import static io.github.loragraph.ops.KnownOperator.standard;
import static io.github.loragraph.ops.Trait.QUANTIZED_PRODUCT;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/** Products with quantized weights. No gradient goes through. */
@AutoService(OperatorFamily.class)
public final class QuantizedProducts implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        standard("ConvInteger", QUANTIZED_PRODUCT).weights(1),
        standard("MatMulInteger", QUANTIZED_PRODUCT).weights(1),
        standard("QLinearConv", QUANTIZED_PRODUCT).weights(3, 8),
        standard("QLinearMatMul", QUANTIZED_PRODUCT).weights(3));
  }
}
