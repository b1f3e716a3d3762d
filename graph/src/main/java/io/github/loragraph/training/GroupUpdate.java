package io.github.loragraph.training;

import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a step does to each group of parameters and their moments.
 *
 * @param opens names a BOOL scalar, whether anything changes; null if it always does, as it has to
 *     where moments are codes
 * @param noise names what codes are rounded by
 */
record GroupUpdate(
    AdamW optimizer,
    AdamW.StepFactors factors,
    @Nullable String opens,
    Map<CodedMoments, String> noise) {
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
    List<TensorType> types =
        new ArrayList<>(group.state().values().stream().map(ParameterGroup::tile).toList());
    List<TensorType> results = List.copyOf(types);
    types.add(ParameterGroup.tile(group.type()));
    return ParameterGroup.scan(
        b,
        tables,
        types,
        results,
        (inner, tiles) -> values(inner, group, tiles.subList(0, count), tiles.get(count)));
  }

  private List<String> values(
      GraphBuilder b, ParameterGroup group, List<String> inputs, String gradient) {
    if (group.coded() != null) {
      return values(b, group, group.coded(), inputs, gradient);
    }
    AdamW.State state = new AdamW.State(inputs.get(0), inputs.get(1), inputs.get(2));
    AdamW.State updated = optimizer.emit(b, state, gradient, factors, group.decays());
    List<String> values = new ArrayList<>();
    for (String value :
        List.of(updated.parameter(), updated.firstMoment(), updated.secondMoment())) {
      values.add(opens == null ? value : b.where(opens, value, inputs.get(values.size())));
    }
    return values;
  }

  private List<String> values(
      GraphBuilder b,
      ParameterGroup group,
      CodedMoments coded,
      List<String> inputs,
      String gradient) {
    AdamW.State state =
        new AdamW.State(
            b.reshape(inputs.get(0), coded.blocks(), coded.block()),
            coded.first(b, new CodedMoments.Coded(inputs.get(1), inputs.get(3))),
            coded.second(b, new CodedMoments.Coded(inputs.get(2), inputs.get(4))));
    String blocks = b.reshape(gradient, coded.blocks(), coded.block());
    AdamW.State updated = optimizer.emit(b, state, blocks, factors, group.decays());
    String rounding = Objects.requireNonNull(noise.get(coded));
    CodedMoments.Coded first = coded.codedFirst(b, updated.firstMoment(), rounding);
    CodedMoments.Coded second = coded.codedSecond(b, updated.secondMoment(), rounding);
    return List.of(
        b.reshape(updated.parameter(), coded.blocks() * coded.block()),
        first.codes(),
        second.codes(),
        first.scales(),
        second.scales());
  }
}
