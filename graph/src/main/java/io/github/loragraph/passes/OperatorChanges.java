package io.github.loragraph.passes;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What changed in the standard operators between versions 11 and 20, other than the types that they
 * take and attributes whose default is what was there before (ONNX operator changelog).
 */
final class OperatorChanges {
  static final List<OperatorChange> ALL =
      List.of(
          new RatioAsInput(),
          new AxesAsInput(Set.of("Squeeze", "Unsqueeze", "ReduceSum"), 13),
          new SplitAsInput(),
          new SoftmaxOverOneAxis(),
          new BatchNormalizationOutputs(),
          new RoiAlignmentNamed(),
          new AxesAsInput(
              Set.of(
                  "ReduceL1",
                  "ReduceL2",
                  "ReduceLogSum",
                  "ReduceLogSumExp",
                  "ReduceMax",
                  "ReduceMean",
                  "ReduceMin",
                  "ReduceProd",
                  "ReduceSumSquare"),
              18),
          new SplitCount(),
          new GridSampleModes(),
          new TransformAxisAsInput());

  private OperatorChanges() {}

  private static Node withInput(Node node, int index, String value) {
    List<String> inputs = new ArrayList<>(node.inputs());
    while (inputs.size() <= index) {
      inputs.add("");
    }
    inputs.set(index, value);
    return node.withInputs(inputs);
  }

  /** The axes went from an attribute to the second input. None means the same in both forms. */
  private record AxesAsInput(Set<String> operators, int since) implements OperatorChange {
    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      long[] axes = node.longs("axes");
      Node bare = node.without("axes");
      return axes == null || axes.length == 0 ? bare : withInput(bare, 1, rewriting.longs(axes));
    }
  }

  /**
   * Dropout 12: the ratio went from an attribute to the second input. Without a third, dropout is
   * off, and the mask, of which version 10 says nothing, is true everywhere.
   */
  private record RatioAsInput() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("Dropout");
    }

    @Override
    public int since() {
      return 12;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      float ratio = node.attribute("ratio", 0.5f);
      return withInput(node.without("ratio"), 1, rewriting.scalar(ElementType.FLOAT, ratio));
    }
  }

  /** Split 13: the lengths went from an attribute to the second input. */
  private record SplitAsInput() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("Split");
    }

    @Override
    public int since() {
      return 13;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      long[] lengths = node.longs("split");
      return lengths == null ? node : withInput(node.without("split"), 1, rewriting.longs(lengths));
    }
  }

  /** Split 18: without lengths, the number of parts is said. */
  private record SplitCount() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("Split");
    }

    @Override
    public int since() {
      return 18;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      return node.hasInput(1) ? node : node.with("num_outputs", node.outputs().size());
    }
  }

  /**
   * Softmax, LogSoftmax and Hardmax 13 go over one axis. Before, all axes from the given one on
   * were taken as one: the same where it is the last, else the input is flattened and shaped back.
   */
  private record SoftmaxOverOneAxis() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("Softmax", "LogSoftmax", "Hardmax");
    }

    @Override
    public int since() {
      return 13;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      long axis = node.attribute("axis", 1L);
      String x = node.input(0);
      if (subject.isLastAxis(axis, x)) {
        return node.with("axis", -1);
      }
      String rows = rewriting.op("Flatten", n -> n.with("axis", axis), x);
      String result = rewriting.op(node.opType(), n -> n.with("axis", -1), rows);
      String shape = rewriting.shape(x);
      String name = rewriting.graph().freshName(node.name() + "/Reshape");
      return Node.of(name, "Reshape", List.of(result, shape), node.outputs());
    }
  }

  /** BatchNormalization 14 has its running statistics as outputs in another way. */
  private record BatchNormalizationOutputs() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("BatchNormalization");
    }

    @Override
    public int since() {
      return 14;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      for (int i = 1; i < node.outputs().size(); i++) {
        if (node.hasOutput(i)) {
          throw new LoraGraphException(
              "node '%s' (BatchNormalization) is in training mode: export the model for inference"
                  .formatted(node.name()));
        }
      }
      return node.withOutputs(List.of(node.output(0)));
    }
  }

  /** RoiAlign 16 has another default for where a pixel is. */
  private record RoiAlignmentNamed() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("RoiAlign");
    }

    @Override
    public int since() {
      return 16;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      return node.with("coordinate_transformation_mode", "output_half_pixel");
    }
  }

  /** GridSample 20 has other names for two of its modes. */
  private record GridSampleModes() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("GridSample");
    }

    @Override
    public int since() {
      return 20;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      String mode = node.attribute("mode", "bilinear");
      return switch (mode) {
        case "bilinear" -> node.with("mode", "linear");
        case "bicubic" -> node.with("mode", "cubic");
        default -> node;
      };
    }
  }

  /** DFT 20: the axis went from an attribute to the third input, and its default changed. */
  private record TransformAxisAsInput() implements OperatorChange {
    @Override
    public Set<String> operators() {
      return Set.of("DFT");
    }

    @Override
    public int since() {
      return 20;
    }

    @Override
    public Node convert(Node node, Subject subject, Rewriting rewriting) {
      Tensor axis =
          Tensor.ofLongs(
              rewriting.graph().freshName(node.name() + "/axis"),
              new long[] {node.attribute("axis", 1L)});
      return withInput(node.without("axis"), 2, rewriting.initializer(axis));
    }
  }
}
