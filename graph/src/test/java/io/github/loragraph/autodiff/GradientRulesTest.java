package io.github.loragraph.autodiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
class GradientRulesTest {
  private static Node node(String operator) {
    return Node.of("", operator, List.of("x"), List.of("y"));
  }

  @Test
  void standardKernelsUnlessAskedFor() {
    GradientRules rules = GradientRules.load();
    for (String operator : rules.operators()) {
      assertEquals(Kernels.STANDARD, rules.rule(node(operator)).kernels(), operator);
    }
    assertTrue(domains(GradientRules.load(), ElementType.FLOAT).stream().allMatch(""::equals));
  }

  @Test
  void fusedRulesGoBeforeStandardOnes() {
    GradientRules rules = GradientRules.load(Kernels.TRAINING_BUILD);
    assertEquals(Kernels.TRAINING_BUILD, rules.rule(node("Tanh")).kernels());
    assertEquals(Kernels.STANDARD, rules.rule(node("Exp")).kernels());
    assertEquals(List.copyOf(GradientRules.load().operators()), List.copyOf(rules.operators()));
    assertTrue(domains(rules, ElementType.FLOAT).contains(Kernels.DOMAIN));
  }

  @Test
  void whatNoKernelTakesIsLeftToTheStandardRule() {
    GradientRules rules = GradientRules.load(Kernels.TRAINING_BUILD);
    assertTrue(domains(rules, ElementType.DOUBLE).stream().allMatch(""::equals));
  }

  @Test
  void aNodeIsRefusedOnlyByBoth() {
    Node node = node("Op");
    assertNull(new PreferredRule(rule("no", "a"), rule(null, "b")).refusal(node, null));
    assertNull(new PreferredRule(rule(null, "a"), rule("no", "b")).refusal(node, null));
    assertEquals(
        "b no", new PreferredRule(rule("a no", "a"), rule("b no", "b")).refusal(node, null));
  }

  @Test
  void theRuleThatCoversANodeEmits() {
    List<String> emitted = new ArrayList<>();
    for (String refusal : new String[] {null, "no"}) {
      new PreferredRule(rule(refusal, "fused", emitted), rule(null, "standard", emitted))
          .emit(node("Op"), null);
    }
    assertEquals(List.of("fused", "standard"), emitted);
  }

  private static GradientRule rule(String refusal, String name) {
    return rule(refusal, name, new ArrayList<>());
  }

  private static GradientRule rule(String refusal, String name, List<String> emitted) {
    return new GradientRule() {
      @Override
      public String operator() {
        return "Op";
      }

      @Override
      public String refusal(Node node, GradientScope g) {
        return refusal;
      }

      @Override
      public void emit(Node node, GradientScope g) {
        emitted.add(name);
      }
    };
  }

  /** The domains of the nodes of a graph with a gradient through tanh. */
  private static List<String> domains(GradientRules rules, ElementType type) {
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
    new Autodiff(rules).gradients(graph, new ValueTypes(types), loss, List.of("x"));
    return graph.nodes().stream().map(Node::domain).toList();
  }
}
