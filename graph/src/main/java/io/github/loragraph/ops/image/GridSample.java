package io.github.loragraph.ops.image;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/** An image read at places of a grid. */
@AutoService(OperatorFamily.class)
public final class GridSample implements Operator {
  @Override
  public String name() {
    return "GridSample";
  }

  @Override
  public List<OperatorChange> changes() {
    return List.of(new OperatorChange(20, (node, b) -> renamed(node)));
  }

  /** Version 20 has other names for two of the modes. */
  private static Node renamed(Node node) {
    return switch (node.attribute("mode", "bilinear")) {
      case "bilinear" -> node.with("mode", "linear");
      case "bicubic" -> node.with("mode", "cubic");
      default -> node;
    };
  }
}
