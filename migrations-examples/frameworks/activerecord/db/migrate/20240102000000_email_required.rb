class EmailRequired < ActiveRecord::Migration[6.1]
  def change
    change_column_null :customers, :email, false
  end
end
