/**
 * Attributes that are known: those that rows of the operator table read, and those that say how
 * Paddle runs an operator, not what it does. Any other is named in the report, for it may matter.
 */

const read = `activation_type adaptive align_corners align_mode alpha anchors approximate axes axis
  background_label begin_norm_axis beta bias bias_after_scale bit_length bool_values ceil_mode
  class_num clip_bbox conf_thresh data_format data_layout decrease_axis deformable_groups dilations
  dim downsample_ratio dropout_implementation dropout_prob dtype ends epsilon exclusive factor
  flatten fp32_values gaussian_sigma global_pooling groups in_num_col_dims input_dim_idx
  int32_values int64_values iou_aware iou_aware_factor k keep_dim keep_top_k keepdim keepdims ksize
  largest max max_range min mode nms_eta nms_threshold nms_top_k normalized num offset out_dtype
  out_h out_w output_dim_idx output_padding output_size p pad_value padding_algorithm paddings
  pooling_type porder post_threshold quant_axis reduce_all repeat_times reverse round_type scale
  scale_x_y score_threshold sections shape slope sorted start_axis starts step stop_axis str_value
  strides sub_block threshold trans_x trans_y transpose_X transpose_Y upscale_factor use_gaussian
  use_stack value values x_num_col_dims y_num_col_dims`;

const withoutEffect = `activation_bits allowzero exhaustive_search fix_seed in_dtype index_dtype
  infer_flags interp_method is_mkldnn is_scalar_condition is_test moving_rate momentum
  only_observer op_callstack op_device op_namescope op_role op_role_var op_with_kernel_key out_d
  overwrite place place_type qmax qmin quantization_type seed skip_eager_deletion_vars skip_quant
  stop_gradient struct_name trainable_statistics use_global_stats window_size workspace_size_MB
  x_data_format y_data_format name`;

const known = new Set(`${read} ${withoutEffect}`.split(/\s+/));

/** Marks of other runtimes: oneDNN, cuDNN, fusion, statistics kept by quantisation tools. */
const heads = /^(use_|mkldnn|force_|fuse|with_quant|Scale_|Output?\d|X_|Y_|W_|Input_|Filter_)/;
const tails = /_(threshold|scale)$/;

export function isKnownAttribute(name: string): boolean {
  return known.has(name) || heads.test(name) || tails.test(name);
}
