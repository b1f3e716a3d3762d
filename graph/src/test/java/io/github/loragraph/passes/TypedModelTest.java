package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.shape.ShapeInference;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nothing is wrong by a type of a value that is another one by now. */
class TypedModelTest {
  private final TestGraph g = new TestGraph(20);
  private final String x = g.dynamicInput("x", 2, 3);
  private int asked;

  private final ShapeInference inference =
      model -> {
        asked++;
        return new SessionShapeInference().infer(model);
      };

  private TypedModel typed() {
    return TypedModel.of(g.model(), inference);
  }

  private static String shape(TypedModel model, String value) {
    return model.types().get(value).shape().toString();
  }

  /** The model with another node in the place of the one that makes a value. */
  private OnnxModel making(TypedModel model, String value, String operator) {
    Graph graph = model.graph().copy();
    Node old = graph.producer(value);
    graph.replace(old, Node.of(old.name(), operator, List.of(x), List.of(value)));
    return model.model().withGraph(graph);
  }

  @Test
  void aValueThatBecameAnotherTakesWhatIsComputedFromItAlong() {
    String y = g.neg(x);
    String below = g.exp(y);
    String beside = g.sqrt(x);
    g.output(g.op("Tanh", below));
    g.output(beside);
    TypedModel before = typed();
    assertEquals("[batch,3]", shape(before, below));
    TypedModel after = before.with(making(before, y, "Transpose"), List.of(y));
    assertEquals("[3,batch]", shape(after, y));
    assertEquals("[3,batch]", shape(after, below));
    assertEquals("[batch,3]", shape(after, beside));
    assertEquals(1, asked);
  }

  @Test
  void anElementTypeThatChangedIsFollowedToo() {
    String y = g.neg(x);
    String below = g.op("Identity", y);
    g.output(below);
    TypedModel before = typed();
    assertEquals(ElementType.FLOAT, before.types().get(below).elementType());
    TypedModel after = before.with(making(before, y, "IsNaN"), List.of(y));
    assertEquals(ElementType.BOOL, after.types().get(below).elementType());
    assertEquals(1, asked);
  }

  /** An open dimension goes by the value that it was first seen at: not by another of that name. */
  @Test
  void aDimensionNamedAfterTheValueIsForgotten() {
    String y = g.op("NonZero", x);
    String first = g.op("Squeeze", g.op("Slice", y, g.longs(0), g.longs(1)), g.longs(0));
    g.output(first, ElementType.INT64);
    TypedModel before = typed();
    String dimension = before.types().get(first).shape().dimension(0).toString();
    assertEquals(y + "#1", dimension);
    // What was read from the old value now is read from the input: nothing is downstream any more.
    Graph graph = before.graph().copy();
    Node reader = graph.consumers(y).get(0);
    Node other = Node.of("/other", "NonZero", List.of(x), List.of("other"));
    graph.insertBefore(reader, other);
    graph.replace(reader, reader.withInput(0, "other"));
    TypedModel after = before.with(before.model().withGraph(graph), List.of(y));
    assertEquals("other#1", after.types().get(first).shape().dimension(0).toString());
  }

  /** A name that was taken out and given again is a new value. */
  @Test
  void aNameThatComesBackIsNew() {
    String y = g.neg(x);
    g.output(g.exp(x));
    TypedModel before = typed();
    assertEquals("[batch,3]", shape(before, y));
    Graph without = before.graph().copy();
    without.removeDeadNodes();
    TypedModel gone = before.with(before.model().withGraph(without));
    assertNull(gone.types().get(y));
    Graph again = gone.graph().copy();
    again.add(Node.of("/again", "Transpose", List.of(x), List.of(y)));
    assertEquals("[3,batch]", shape(gone.with(gone.model().withGraph(again)), y));
  }

  @Test
  void inferenceIsAskedAgainOnlyForWhatNoRuleCanSay() {
    g.output(g.neg(x));
    TypedModel before = typed();
    before.types();
    Graph known = before.graph().copy();
    known.add(Node.of("/exp", "Exp", List.of(x), List.of("made")));
    TypedModel withKnown = before.with(before.model().withGraph(known));
    assertSame(withKnown, withKnown.completed());
    assertEquals(1, asked);

    Graph foreign = known.copy();
    foreign.add(
        Node.of("/fused", "QuickGelu", List.of(x), List.of("fused")).withDomain("com.microsoft"));
    foreign.add(Node.of("/tanh", "Tanh", List.of("fused"), List.of("after")));
    OnnxModel model = before.model().withGraph(foreign).withOpset("com.microsoft", 1);
    TypedModel completed = withKnown.with(model).completed();
    assertEquals(2, asked);
    assertEquals(ElementType.FLOAT, completed.types().get("fused").elementType());
    assertEquals("[batch,3]", shape(completed, "after"));

    TypedModel last = completed.with(model).completed().completed();
    last.types();
    assertEquals(2, asked);
  }

  @Test
  void whatIsGivenIsTakenAsItIs() {
    g.output(g.neg(x));
    TypedModel declared = TypedModel.declared(g.model());
    assertEquals(
        TensorType.of(ElementType.FLOAT, -1, 3).elementType(),
        declared.types().get(x).elementType());
    assertSame(declared, declared.completed());
  }
}
