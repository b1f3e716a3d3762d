package io.github.loragraph.ops.controlflow;

import static io.github.loragraph.ops.KnownOperator.standard;
import static io.github.loragraph.ops.Trait.CONTROL_FLOW;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/** What runs subgraphs. No gradient goes through. */
@AutoService(OperatorFamily.class)
public final class ControlFlow implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        standard("If", CONTROL_FLOW),
        standard("Loop", CONTROL_FLOW),
        standard("Scan", CONTROL_FLOW));
  }
}
