package io.github.loragraph.passes;

import io.github.loragraph.onnx.OnnxModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * What makes another model of a model: the one form of everything in this project that rewrites a
 * graph. A pass changes a copy, and says by {@link TypedModel#with} what the model became; values
 * that keep their names are what they were, unless it names them there.
 */
@FunctionalInterface
public interface Pass {
  /**
   * @param model stays as it is
   * @param trainable values that training changes: nothing is computed from them beforehand, and
   *     they keep their names
   * @throws io.github.loragraph.error.LoraGraphException if the model cannot be brought to the form
   *     that the pass makes
   */
  Result apply(TypedModel model, Set<String> trainable);

  /**
   * What a pass made.
   *
   * @param recognised how many times each thing that it looks for was found, by name; with 0 what
   *     was not found
   */
  record Result(TypedModel model, Map<String, Integer> recognised) {
    /** Of a pass that looks for nothing. */
    public static Result of(TypedModel model) {
      return new Result(model, Map.of());
    }
  }

  /** A pass that looks for nothing, after which every value that keeps its name is what it was. */
  static Pass of(UnaryOperator<OnnxModel> change) {
    return (model, trainable) -> Result.of(model.with(change.apply(model.model())));
  }

  /** Passes one after the other. */
  static Pass inTurn(Pass... passes) {
    return (model, trainable) -> {
      TypedModel current = model;
      Map<String, Integer> recognised = new LinkedHashMap<>();
      for (Pass pass : List.of(passes)) {
        Result result = pass.apply(current, trainable);
        current = result.model();
        result.recognised().forEach((name, count) -> recognised.merge(name, count, Integer::sum));
      }
      return new Result(current, recognised);
    };
  }
}
