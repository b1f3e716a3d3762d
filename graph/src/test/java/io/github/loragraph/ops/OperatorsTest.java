package io.github.loragraph.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which rule is asked, where an operator has two. */
class OperatorsTest {
  private static Node node(String operator) {
    return Node.of("", operator, List.of("x"), List.of("y"));
  }

  @Test
  void standardKernelsUnlessAskedFor() {
    for (Operator operator : Operators.all().operators()) {
      Gradient gradient = operator.gradient(Kernels.STANDARD);
      assertFalse(gradient instanceof PreferredGradient, operator.name());
    }
    assertTrue(domains(Kernels.STANDARD, ElementType.FLOAT).stream().allMatch(""::equals));
  }

  @Test
  void fusedRulesGoBeforeStandardOnes() {
    assertInstanceOf(PreferredGradient.class, gradient("Tanh", Kernels.TRAINING_BUILD));
    assertFalse(gradient("Exp", Kernels.TRAINING_BUILD) instanceof PreferredGradient);
    assertTrue(domains(Kernels.TRAINING_BUILD, ElementType.FLOAT).contains(Kernels.DOMAIN));
  }

  @Test
  void whatNoKernelTakesIsLeftToTheStandardRule() {
    assertTrue(domains(Kernels.TRAINING_BUILD, ElementType.DOUBLE).stream().allMatch(""::equals));
  }

  private static Gradient gradient(String operator, Kernels kernels) {
    return Operators.all().gradient(node(operator), kernels);
  }

  @Test
  void aNodeIsRefusedOnlyByBoth() {
    Node node = node("Op");
    assertNull(
        new PreferredGradient(rule("no", "a"), rule(null, "b")).unsupportedReason(node, null));
    assertNull(
        new PreferredGradient(rule(null, "a"), rule("no", "b")).unsupportedReason(node, null));
    assertEquals(
        "b no",
        new PreferredGradient(rule("a no", "a"), rule("b no", "b")).unsupportedReason(node, null));
  }

  @Test
  void theRuleThatCoversANodeEmits() {
    List<String> emitted = new ArrayList<>();
    for (String refusal : new String[] {null, "no"}) {
      new PreferredGradient(rule(refusal, "fused", emitted), rule(null, "standard", emitted))
          .emit(node("Op"), null);
    }
    assertEquals(List.of("fused", "standard"), emitted);
  }

  private static Gradient rule(String refusal, String name) {
    return rule(refusal, name, new ArrayList<>());
  }

  private static Gradient rule(String refusal, String name, List<String> emitted) {
    return new Gradient() {
      @Override
      public String unsupportedReason(Node node, GradientContext g) {
        return refusal;
      }

      @Override
      public void emit(Node node, GradientContext g) {
        emitted.add(name);
      }
    };
  }

  /** The domains of the nodes of a graph with a gradient through tanh. */
  private static List<String> domains(Kernels kernels, ElementType type) {
    Graph graph = new Graph();
    TensorType matrix = TensorType.of(type, 2, 3);
    graph.addInput(ValueInfo.of("x", matrix));
    GraphBuilder b = new GraphBuilder(graph, "/forward");
    String y = b.op("Tanh", "x");
    String loss = b.reduce("ReduceSum", y, "", false);
    Map<String, TensorType> types = new HashMap<>();
    types.put("x", matrix);
    types.put(y, matrix);
    types.put(loss, TensorType.of(type));
    new Autodiff(kernels).gradients(graph, new ValueTypes(types), loss, List.of("x"));
    return graph.nodes().stream().map(Node::domain).toList();
  }
}
