package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What follows the gradients of a step: their norm, clipping, loss scaling, and the optimizer.
 *
 * @param gradients of all groups, each of the group's shape
 * @param state the names of each group's state before the step, as {@link GroupUpdate} takes them
 * @param maxGradientNorm 0 where nothing is clipped
 * @param scaling where gradients that are not finite leave all as it is; else null
 */
record StepUpdate(
    AdamW optimizer,
    Map<ParameterGroup, String> gradients,
    Map<ParameterGroup, List<String>> state,
    double maxGradientNorm,
    @Nullable LossScaling scaling) {
  private boolean clips() {
    return maxGradientNorm > 0;
  }

  /** The norm, which is made anew where there is one, and the other values that go on. */
  private Map<String, String> emit(GraphBuilder b, String root) {
    Map<String, String> values = new LinkedHashMap<>();
    b.setScope(root + "/optimizer");
    @Nullable String norm = clips() || scaling != null ? norm(b) : null;
    @Nullable String scale = null;
    if (norm != null && clips()) {
      values.put(StepGraph.GRADIENT_NORM, b.op("Identity", norm));
      scale = StepGraph.clipScale(b, norm, maxGradientNorm);
    }
    @Nullable String opens = null;
    String number = StepGraph.STEP;
    if (norm != null && scaling != null) {
      b.setScope(root + "/loss_scaling");
      opens = scaling.finite(b, norm);
      List<String> next = scaling.emit(b, opens);
      for (int i = 0; i < next.size(); i++) {
        values.put(scaling.carried().get(i).input(), next.get(i));
      }
      number = b.sub(StepGraph.STEP, LossScaling.SKIPPED_STEPS);
    }
    b.setScope(root + "/optimizer");
    AdamW.StepFactors factors = optimizer.factors(b, StepGraph.LEARNING_RATE, number, scale);
    Map<CodedMoments, String> noise = new LinkedHashMap<>();
    for (ParameterGroup group : gradients.keySet()) {
      if (group.coded() != null && !noise.containsKey(group.coded())) {
        noise.put(group.coded(), group.coded().noise(b, number));
      }
    }
    GroupUpdate update = new GroupUpdate(optimizer, factors, opens, noise);
    gradients.forEach(
        (group, gradient) -> {
          b.setScope(root + "/optimizer/" + group.name());
          List<String> inputs = Objects.requireNonNull(state.get(group));
          List<String> after = update.of(b, group, inputs, gradient);
          for (int i = 0; i < after.size(); i++) {
            values.put(inputs.get(i), after.get(i));
          }
        });
    return values;
  }

  private String norm(GraphBuilder b) {
    String[] squares =
        gradients.entrySet().stream()
            .map(entry -> entry.getKey().sumOfSquares(b, entry.getValue()))
            .toArray(String[]::new);
    return b.sqrt(squares.length == 1 ? squares[0] : b.op("Sum", squares));
  }

  /**
   * Emits it for a graph whose every run is a step.
   *
   * @return the names of the state after the step by those before it, and of the norm, where it is
   *     told
   */
  Map<String, String> always(GraphBuilder b) {
    return emit(b, "");
  }

  /**
   * Emits it for a graph of which only some runs end a step: in the others nothing of it is
   * computed, all state stays as it is, and the norm is not a number.
   *
   * @param ends names a BOOL scalar
   * @param before the state before the first step, by its names
   */
  Map<String, String> where(String ends, GraphBuilder b, Map<String, Tensor> before) {
    b.setScope("/update");
    List<String> names = new ArrayList<>();
    if (clips()) {
      names.add(StepGraph.GRADIENT_NORM);
    }
    if (scaling != null) {
      scaling.carried().forEach(number -> names.add(number.input()));
    }
    state.values().forEach(names::addAll);
    List<TensorType> types = new ArrayList<>();
    for (String name : names) {
      Tensor value = before.get(name);
      types.add(value == null ? TensorType.of(ElementType.FLOAT) : value.type());
    }
    List<String> results =
        b.choose(
            ends,
            types,
            then -> {
              Map<String, String> after = emit(then, then.scope());
              return names.stream().map(name -> Objects.requireNonNull(after.get(name))).toList();
            },
            otherwise ->
                names.stream()
                    .map(
                        name ->
                            before.containsKey(name)
                                ? name
                                : otherwise.scalar(ElementType.FLOAT, Double.NaN))
                    .map(value -> otherwise.op("Identity", value))
                    .toList());
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      values.put(names.get(i), results.get(i));
    }
    return values;
  }
}
