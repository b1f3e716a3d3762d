package io.github.loragraph.training;

import io.github.loragraph.onnx.GraphBuilder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a step does to each group of parameters and their moments.
 *
 * @param opens names a BOOL scalar, whether anything changes; null if it always does
 */
record GroupUpdate(AdamW optimizer, AdamW.StepFactors factors, @Nullable String opens) {
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
    List<String> tables = new ArrayList<>(inputs);
    tables.add(gradient);
    int count = inputs.size();
    return group.scan(
        b,
        tables,
        Collections.nCopies(count, group.tile()),
        (inner, tiles) -> values(inner, group, tiles.subList(0, count), tiles.get(count)));
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
    return values;
  }
}
