package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Several training steps in one call: a {@code Loop} (ONNX operator specification) around a step
 * graph. Parameters and moments go from step to step inside the call, so that on a GPU they are
 * brought there and back once for all its steps; what is new in each step goes in as a stack with
 * one more axis in front. Batches of a stack may differ in size: each is cut out of its layer
 * again, so a step computes what it would compute alone.
 *
 * @param model inputs: for each value of {@link StepGraph#perStep} its {@link #stack} and, where it
 *     is no scalar, its {@link #shapes}; for each carried value its {@link #start}. Outputs: each
 *     carried value's {@link #end}, and for each of {@link StepGraph#figures} the {@link #history},
 *     FLOAT of shape (steps)
 */
public record StepLoop(OnnxModel model, StepGraph step) {
  /** Larger tensors stay outside of the loop, where they can be handed over in memory. */
  private static final long LARGEST_INSIDE_BYTES = 1024;

  private static final String STEPS = "steps";

  /** The input that holds a value of every step, of shape (steps, largest sizes). */
  public static String stack(String value) {
    return value + ".stack";
  }

  /** The INT64 input of shape (steps, rank) that holds the sizes of a value in every step. */
  public static String shapes(String value) {
    return value + ".shapes";
  }

  /** The input that holds a carried value before the first step. */
  public static String start(String value) {
    return value + ".start";
  }

  /** The output that holds a carried value after the last step. */
  public static String end(String value) {
    return value + ".end";
  }

  /** The output that holds a figure of every step. */
  public static String history(String value) {
    return value + ".history";
  }

  /** Puts a loop around a step graph, which is left as it is. */
  public static StepLoop of(StepGraph step) {
    Graph outer = new Graph();
    GraphBuilder o = new GraphBuilder(outer, "/steps");
    Graph body = step.model().graph().copy();
    List<StepGraph.Carried> carried = step.carried();
    List<ValueInfo> perStep = step.perStep();
    List<String> figures = step.figures();

    List.copyOf(body.inputs()).forEach(input -> body.removeInput(input.name()));
    body.clearOutputs();
    for (Tensor tensor : List.copyOf(body.initializers().values())) {
      if (tensor.bytes().remaining() > LARGEST_INSIDE_BYTES) {
        body.removeInitializer(tensor.name());
        outer.putInitializer(tensor);
      }
    }

    String iteration = body.freshName("iteration");
    String condition = body.freshName("condition");
    body.addInput(ValueInfo.of(iteration, TensorType.of(ElementType.INT64)));
    body.addInput(ValueInfo.of(condition, TensorType.of(ElementType.BOOL)));
    cutOut(body, outer, perStep, iteration);

    List<String> inputs = new ArrayList<>(List.of(tripCount(o), ""));
    List<String> outputs = new ArrayList<>();
    String goOn = body.freshName("condition_out");
    body.add(Node.of("/steps/condition", "Identity", List.of(condition), List.of(goOn)));
    body.addOutput(ValueInfo.of(goOn, TensorType.of(ElementType.BOOL)));
    for (StepGraph.Carried c : carried) {
      TensorType type = c.initial().type();
      body.addInput(ValueInfo.of(c.input(), type));
      body.addOutput(ValueInfo.of(c.output(), type));
      outer.addInput(ValueInfo.of(start(c.input()), type));
      outer.addOutput(ValueInfo.of(end(c.input()), type));
      inputs.add(start(c.input()));
      outputs.add(end(c.input()));
    }
    TensorType number = TensorType.of(ElementType.FLOAT);
    for (String figure : figures) {
      body.addOutput(ValueInfo.of(figure, number));
      outer.addOutput(ValueInfo.of(history(figure), stacked(number)));
      outputs.add(history(figure));
    }
    outer.add(Node.of("/steps", "Loop", inputs, outputs).with("body", "step", body));
    return new StepLoop(step.model().withGraph(outer), step);
  }

  /** Declares the stacks, and puts before the body's nodes what takes a step's values from them. */
  private static void cutOut(Graph body, Graph outer, List<ValueInfo> perStep, String iteration) {
    Node first = body.nodes().get(0);
    int before = body.nodes().size();
    GraphBuilder b = new GraphBuilder(body, "/step");
    for (ValueInfo value : perStep) {
      TensorType type = value.requireType();
      int rank = type.requireShape().rank();
      outer.addInput(ValueInfo.of(stack(value.name()), stacked(type)));
      String layer = b.gather(stack(value.name()), iteration, 0);
      if (rank > 0) {
        outer.addInput(
            ValueInfo.of(shapes(value.name()), stacked(TensorType.of(ElementType.INT64, rank))));
        String sizes = b.gather(shapes(value.name()), iteration, 0);
        layer = b.op("Slice", layer, b.longs(new long[rank]), sizes);
      }
      Node last = body.requireProducer(layer);
      body.replace(last, last.withOutput(0, value.name()));
    }
    body.moveTail(before, first);
  }

  /**
   * The type of a value of every step. What a size of one step is called must not be the name of
   * the stack's: ONNX Runtime takes what has one name for equally large, and gives both one memory.
   */
  private static TensorType stacked(TensorType type) {
    List<Shape.Dimension> dimensions = new ArrayList<>();
    dimensions.add(Shape.Dimension.named(STEPS));
    for (Shape.Dimension one : type.requireShape().dimensions()) {
      dimensions.add(one.symbol() == null ? one : Shape.Dimension.named("largest_" + one.symbol()));
    }
    return new TensorType(type.elementType(), new Shape(dimensions));
  }

  /** The number of learning rates. */
  private static String tripCount(GraphBuilder o) {
    return o.squeeze(o.shape(stack(StepGraph.LEARNING_RATE)), 0);
  }
}
