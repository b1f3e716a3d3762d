package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a step does to each group of parameters, their moments and gathered gradients.
 *
 * @param opens names a BOOL scalar, whether anything changes; null if it always does
 */
record GroupUpdate(
    AdamW optimizer, AdamW.StepFactors factors, @Nullable String opens, boolean gathers) {
  /**
   * The nodes of one group.
   *
   * @param inputs the names of the state before it
   * @param gradient of the group's shape
   * @return the names of the state after it
   */
  List<String> of(GraphBuilder b, ParameterGroup group, List<String> inputs, String gradient) {
    if (!group.isTiled()) {
      return values(b, group, inputs, gradient);
    }
    Graph body = new Graph();
    GraphBuilder inner = new GraphBuilder(body, b.scope() + "/tile");
    TensorType table = group.type();
    TensorType tile =
        new TensorType(
            table.elementType(), new Shape(table.requireShape().dimensions().subList(1, 2)));
    List<String> tables = new ArrayList<>(inputs);
    tables.add(gradient);
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < tables.size(); i++) {
      String part = b.scope() + "/tile/input_" + i;
      body.addInput(ValueInfo.of(part, tile));
      parts.add(part);
    }
    List<String> state = parts.subList(0, inputs.size());
    for (String value : values(inner, group, state, parts.get(inputs.size()))) {
      body.addOutput(ValueInfo.of(value, tile));
    }
    return b.ops(
        "Scan",
        inputs.size(),
        n -> n.with("num_scan_inputs", tables.size()).with("body", "tile", body),
        tables.toArray(String[]::new));
  }

  private List<String> values(
      GraphBuilder b, ParameterGroup group, List<String> inputs, String gradient) {
    AdamW.State state = new AdamW.State(inputs.get(0), inputs.get(1), inputs.get(2));
    AdamW.State updated = optimizer.emit(b, state, gradient, factors, group.decays());
    List<String> values = new ArrayList<>();
    for (String value :
        List.of(updated.parameter(), updated.firstMoment(), updated.secondMoment())) {
      values.add(opens == null ? value : b.where(opens, value, inputs.get(values.size())));
    }
    if (gathers) {
      values.add(b.where(StepGraph.UPDATE, b.scalar(ElementType.FLOAT, 0), gradient));
    }
    return values;
  }
}
