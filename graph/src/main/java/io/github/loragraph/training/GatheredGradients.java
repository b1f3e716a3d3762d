package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The sums over the batches of a step so far of its gradients. The first of them is taken as it is,
 * so that what was gathered before need not be set to zero.
 */
final class GatheredGradients {
  private GatheredGradients() {}

  /** The carried value that has the sum for a group. */
  static String before(ParameterGroup group) {
    return group.name() + ".grad_sum";
  }

  /**
   * Emits the sums, under the names that they are carried on by.
   *
   * @param gradients of one batch
   */
  static Map<ParameterGroup, String> of(GraphBuilder b, Map<ParameterGroup, String> gradients) {
    Graph graph = b.graph();
    graph.addInput(ValueInfo.of(StepGraph.UPDATE, TensorType.of(ElementType.BOOL)));
    graph.addInput(ValueInfo.of(StepGraph.BEGINS, TensorType.of(ElementType.BOOL)));
    Map<ParameterGroup, String> gathered = new LinkedHashMap<>();
    gradients.forEach(
        (group, gradient) -> {
          String before = before(group);
          graph.addInput(ValueInfo.of(before, group.type()));
          b.setScope("/gathered/" + group.name());
          String sum =
              b.choose(
                      StepGraph.BEGINS,
                      List.of(group.type()),
                      first -> List.of(first.op("Identity", gradient)),
                      further -> List.of(further.add(before, gradient)))
                  .get(0);
          // Named now: what reads it lies in the body of an operator.
          String after = StepGraph.updated(before);
          graph.rename(sum, after);
          gathered.put(group, after);
        });
    return gathered;
  }
}
