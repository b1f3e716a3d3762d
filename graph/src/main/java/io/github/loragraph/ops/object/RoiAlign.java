package io.github.loragraph.ops.object;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import java.util.List;

/** Regions of an image, pooled. */
@AutoService(OperatorFamily.class)
public final class RoiAlign implements Operator {
  @Override
  public String name() {
    return "RoiAlign";
  }

  /** Version 16 has another default for where a pixel is. */
  @Override
  public List<OperatorChange> changes() {
    return List.of(
        new OperatorChange(
            16, (node, b) -> node.with("coordinate_transformation_mode", "output_half_pixel")));
  }
}
