package io.github.loragraph.ops.rnn;

import static io.github.loragraph.ops.KnownOperator.standard;
import static io.github.loragraph.ops.Trait.RECURRENT;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/** Recurrent layers: input weights, recurrent weights and biases. No gradient goes through. */
@AutoService(OperatorFamily.class)
public final class Recurrent implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        standard("GRU", RECURRENT).weights(1, 2, 3),
        standard("LSTM", RECURRENT).weights(1, 2, 3),
        standard("RNN", RECURRENT).weights(1, 2, 3));
  }
}
