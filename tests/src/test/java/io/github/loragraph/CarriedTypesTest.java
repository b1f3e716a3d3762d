package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ValueTypes;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.TrainingGraph;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Types go along with a model through all that makes a training graph of it: ONNX Runtime is asked
 * twice at most, and what it would say of the finished graph is what was carried.
 */
class CarriedTypesTest {
  private static final ShapeInference RUNTIME =
      new SessionShapeInference(OrtRuntime.ofThisProcess());

  private static final Map<String, GraphOptions> OPTIONS = new LinkedHashMap<>();

  static {
    OPTIONS.put("plain", GraphOptions.PLAIN);
    OPTIONS.put("dropout", GraphOptions.PLAIN.withDropout(new LoraDropout(0.1)));
    OPTIONS.put("fp16", GraphOptions.PLAIN.withPrecision(Precision.FP16));
    OPTIONS.put(
        "all",
        GraphOptions.PLAIN
            .withDropout(new LoraDropout(0.1))
            .withPrecision(Precision.FP16)
            .accumulating(true));
  }

  /** Counts how often a runtime is asked. */
  private static final class Counting implements ShapeInference {
    private int asked;

    @Override
    public ValueTypes infer(OnnxModel model) {
      asked++;
      return RUNTIME.infer(model);
    }
  }

  static List<String> exports() {
    return Export.files();
  }

  static List<String> graphs() {
    return ReportGraph.cases();
  }

  @ParameterizedTest
  @MethodSource("exports")
  void anExportIsInferredTwiceAtMost(String file) {
    Export export = new Export(file);
    check(export.model(), Method.FULL);
    check(export.withAdapters(), Method.LORA);
  }

  /** Graphs of many kinds, as far as they can be trained. */
  @ParameterizedTest
  @MethodSource("graphs")
  void aGraphOfAnyKindIsInferredTwiceAtMost(String name) {
    OnnxModel model = ReportGraph.model(name);
    try {
      check(model, Method.FULL);
      check(injected(model), Method.LORA);
    } catch (LoraGraphException e) {
      // It is refused: no types are relied upon.
      assertTrue(e.getMessage().length() > 0);
    }
  }

  private static OnnxModel injected(OnnxModel model) {
    return LoraInjector.inject(
        model,
        new InjectionOptions(
            Pattern.compile("query|dense"), 2, 4, InjectionOptions.DEFAULT_HEAD, 0));
  }

  private static void check(OnnxModel model, Method method) {
    Set<String> trainable = TrainableSelection.of(method).values(model);
    OPTIONS.forEach(
        (name, options) -> {
          if (method == Method.LORA || !options.dropout().isOn()) {
            Counting counting = new Counting();
            TrainingGraph training =
                TrainingGraph.build(model, trainable, CrossEntropyLoss.plain(), options, counting);
            assertTrue(counting.asked <= 2, () -> name + " asked " + counting.asked + " times");
            TypedModel normal = TrainingNormalizer.of(model, trainable, RUNTIME).model();
            assertAgreed(name, training.model(), normal.with(training.model()).types());
          }
        });
  }

  /** What is known of a model's values from its passes, and what a fresh inference says. */
  private static void assertAgreed(String what, OnnxModel model, ValueTypes carried) {
    ValueTypes fresh = RUNTIME.infer(model);
    List<String> contradictions = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      for (String value : node.outputs()) {
        TensorType a = carried.get(value);
        TensorType b = fresh.get(value);
        if (a != null && b != null && contradict(a, b)) {
          contradictions.add("%s of %s: %s, ONNX Runtime %s".formatted(value, node, a, b));
        }
      }
    }
    assertEquals(List.of(), contradictions, what);
  }

  private static boolean contradict(TensorType a, TensorType b) {
    if (a.elementType() != b.elementType()) {
      return true;
    }
    if (a.shape() == null || b.shape() == null) {
      return false;
    }
    if (a.shape().rank() != b.shape().rank()) {
      return true;
    }
    for (int axis = 0; axis < a.shape().rank(); axis++) {
      Shape.Dimension x = a.shape().dimension(axis);
      Shape.Dimension y = b.shape().dimension(axis);
      if (x.isKnown() && y.isKnown() && x.size() != y.size()) {
        return true;
      }
    }
    return false;
  }

  /** Nothing is asked where nothing is built. */
  @Test
  void nothingIsInferredBeforeTypesAreAskedFor() {
    Counting counting = new Counting();
    TypedModel typed = TypedModel.of(new Export(Export.files().get(0)).model(), counting);
    TypedModel same = typed.with(typed.model());
    assertEquals(0, counting.asked);
    same.types();
    same.types();
    same.completed().types();
    assertEquals(1, counting.asked);
  }
}
